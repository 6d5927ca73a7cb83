using System.Text.Encodings.Web;
using System.Text.Json;
using Snapshooter;
using Snapshooter.Xunit;
using Ssti.Engine.Keys;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Snapshots.Tests;

/// <summary>
/// A key document of every kind: a parameter that is added, renamed or given another default changes the keys of what people have stored, and shows here.
/// </summary>
public sealed class KeyDocumentTests
{
    internal static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Kinds() => EveryKind.Names();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_key_document_of_a_kind(string kind)
    {
        var pipeline = RealRun.Load(EveryKind.Path);
        var document = new KeyBuilder(new PinnedProbe()).Build(pipeline, EveryKind.InstanceOf(pipeline, kind), i => Digest.Of($"the output of {pipeline.Instances[i].Name}"));
        Snapshot.Match(document.ToJson().ToJsonString(Readable), SnapshotNameExtension.Create(kind));
    }

    /// <summary>The same machine everywhere.</summary>
    private sealed class PinnedProbe : IComputeProbe
    {
        public ComputeSettings Resolve(ComputeRequest request) => new("cpu", "cpu-avx2", request.Threads, request.Dtype, false, "2.10.0");
    }
}
