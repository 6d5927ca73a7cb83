using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssti.Engine.Parameters;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Keys;

/// <summary>
/// Builds key documents: kind, version, parameters, input trees, seed where one is used, numerics, salt, and the profile where it is told. No paths, hosts
/// or times.
/// </summary>
public sealed class KeyBuilder(IComputeProbe probe)
{
    private readonly ConcurrentDictionary<ComputeRequest, ComputeSettings> _settings = new();
    private readonly SourceDigests _sources = new();

    /// <summary>What an instance computes with on this machine.</summary>
    /// <exception cref="StageException">What it asks for is not here.</exception>
    public ComputeSettings Compute(StageInstance instance) => _settings.GetOrAdd(instance.Compute, probe.Resolve);

    /// <summary>The numbers of this machine's GPUs of a class; null when nobody here knows.</summary>
    public IReadOnlyList<int>? GpusOf(string deviceClass) => probe.GpusOf(deviceClass);

    /// <summary>The document of an instance.</summary>
    /// <param name="pipeline">Its pipeline.</param>
    /// <param name="instance">The instance.</param>
    /// <param name="trees">The output tree of each instance it needs, by index.</param>
    /// <exception cref="StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    public KeyDocument Build(Pipeline pipeline, StageInstance instance, Func<int, Digest> trees)
    {
        var json = WithoutInputs(instance);
        var inputs = new JsonObject();
        foreach (var input in instance.Inputs)
        {
            var entries = new JsonArray();
            foreach (var from in input.From) entries.Add(Entry(input.Declaration, pipeline.Instances[from], trees(from)));
            inputs[input.Declaration.Name] = entries;
        }

        json["inputs"] = inputs;
        return new KeyDocument(json);
    }

    /// <summary>The part of a document that is known before its inputs are.</summary>
    /// <exception cref="StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    public JsonObject WithoutInputs(StageInstance instance)
    {
        var json = new JsonObject
        {
            ["schema"] = KeyDocument.Schema,
            ["kind"] = instance.Kind.Name,
            ["version"] = instance.Kind.Version,
            ["parameters"] = ParameterWriter.Write(instance.Parameters, _sources.Json),
        };
        if (instance.Seed is { } seed) json["seed"] = seed;
        if (instance.Kind.UsesTensors) json["numerics"] = Numerics(Compute(instance));
        if (instance.Salt is { } salt) json["salt"] = salt;
        if (instance.Profile is { } profile) json["profile"] = profile;
        return json;
    }

    /// <summary>Refuses an output whose sources changed while it was made: its key says what they were before.</summary>
    /// <exception cref="StageException">A source changed, or can no longer be read.</exception>
    public void RequireUnchanged(StageInstance instance)
    {
        foreach (var source in ParameterWriter.Sources(instance.Parameters)) _sources.RequireUnchanged(source);
    }

    private static JsonObject Numerics(ComputeSettings compute)
    {
        var json = new JsonObject
        {
            ["device-class"] = compute.DeviceClass,
            ["dtype"] = compute.Dtype,
            ["libtorch"] = compute.LibTorch,
            ["tf32"] = compute.Tf32,
            ["threads"] = compute.Threads,
        };
        if (compute.Kernels is { } kernels) json["kernels"] = kernels;
        return json;
    }

    private static JsonNode Entry(StageInput input, StageInstance from, Digest tree)
    {
        if (!input.ReadsCells) return JsonValue.Create(tree.ToString());
        var cell = new JsonObject();
        foreach (var (dimension, value) in from.Cell) cell[dimension] = value;
        return new JsonObject { ["cell"] = cell, ["stage"] = from.Name, ["tree"] = tree.ToString() };
    }
}
