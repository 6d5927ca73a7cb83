using System.Globalization;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Cluster.Placement;

/// <summary>
/// The name of a key's grain: <c>kind/version/device-class/libtorch/key</c>, with <c>-</c> where a stage computes without tensors. All of it follows from the key
/// document, so a key has one name; and a silo can tell from the name alone whether it can do the work.
/// </summary>
/// <param name="Kind">The stage's kind.</param>
/// <param name="Version">The kind's version.</param>
/// <param name="DeviceClass">What results depend on, or null.</param>
/// <param name="LibTorch">The version of libtorch, or null.</param>
/// <param name="Key">The action key.</param>
internal sealed record StageName(string Kind, int Version, string? DeviceClass, string? LibTorch, Digest Key)
{
    public static StageName Of(WorkOrder order)
    {
        var tensors = order.Kind.UsesTensors;
        return new StageName(order.Kind.Name, order.Kind.Version, tensors ? order.Compute.DeviceClass : null, tensors ? order.Compute.LibTorch : null, order.Key);
    }

    public static StageName? Parse(string text) => text.Split('/') is [var kind, var version, var device, var torch, var key]
        && int.TryParse(version, CultureInfo.InvariantCulture, out var number) && Digest.TryParse(key, out var digest)
        ? new StageName(kind, number, device == "-" ? null : device, torch == "-" ? null : torch, digest)
        : null;

    /// <summary>What the work needs of a silo, beside the places it takes there.</summary>
    public StageNeeds Needs(int jobs = 0, int gpus = 0) => new(Kind, Version, DeviceClass, LibTorch, jobs, gpus);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}/{Version}/{DeviceClass ?? "-"}/{LibTorch ?? "-"}/{Key}");
}
