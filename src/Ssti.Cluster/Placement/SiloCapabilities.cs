using System.Globalization;
using Ssti.Cluster.Wire;
using Ssti.Engine.Stages;

namespace Ssti.Cluster.Placement;

/// <summary>What a silo can do, as its metadata says it to the others: <c>kind.train = 1</c>, <c>device.cpu-avx2 = 2.10.0</c>.</summary>
internal static class SiloCapabilities
{
    public static Dictionary<string, string> Of(IEnumerable<IStageKind> kinds, IEnumerable<ComputeMessage> devices)
    {
        var metadata = new Dictionary<string, string>();
        foreach (var kind in kinds) metadata["kind." + kind.Name] = kind.Version.ToString(CultureInfo.InvariantCulture);
        foreach (var device in devices) metadata["device." + device.DeviceClass] = device.LibTorch;
        return metadata;
    }

    /// <summary>Whether a silo with this metadata can do the work of a name.</summary>
    public static bool Suffice(IReadOnlyDictionary<string, string> metadata, StageName name) =>
        metadata.TryGetValue("kind." + name.Kind, out var version) && version == name.Version.ToString(CultureInfo.InvariantCulture)
        && (name.DeviceClass is null || (metadata.TryGetValue("device." + name.DeviceClass, out var torch) && torch == name.LibTorch));
}
