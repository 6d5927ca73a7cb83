using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Parameters;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Engine.Telemetry;
using Ssti.Store;

namespace Ssti.Cluster.Wire;

/// <summary>
/// A stage as it travels: its key document, which holds the parameters, and what stands beside the key. No path of the sender's machine is in it:
/// local sources are in the store by their digest.
/// </summary>
[GenerateSerializer]
internal sealed record StageMessage
{
    /// <summary>Bumped when either side could misread the other.</summary>
    public const int Protocol = 3;

    [Id(0)] public required string Document { get; init; }

    [Id(1)] public required string Stage { get; init; }

    [Id(2)] public required string Pipeline { get; init; }

    [Id(3)] public required string Run { get; init; }

    [Id(4)] public required ComputeMessage Compute { get; init; }

    [Id(5)] public required List<InputMessage> Inputs { get; init; }

    [Id(6)] public required List<SourceMessage> Sources { get; init; }

    [Id(7)] public required List<string> Reasons { get; init; }

    [Id(8)] public int Retries { get; init; }

    [Id(9)] public TimeSpan? Timeout { get; init; }

    [Id(10)] public int? Gpus { get; init; }

    [Id(11)] public long? Memory { get; init; }

    [Id(12)] public bool Forced { get; init; }

    [Id(13)] public double Queued { get; init; }

    /// <summary>Where the submitter is in its trace; null when it keeps none.</summary>
    [Id(14)] public string? Trace { get; init; }

    /// <summary>The message for an order.</summary>
    public static StageMessage Of(WorkOrder order, IReadOnlyList<SourceMessage> sources) => new()
    {
        Document = order.Document.Text,
        Stage = order.Stage,
        Pipeline = order.Pipeline,
        Run = order.Run,
        Compute = ComputeMessage.Of(order.Compute),
        Inputs = [.. order.Inputs.Select(InputMessage.Of)],
        Sources = [.. sources],
        Reasons = [.. order.Reasons],
        Retries = order.Policy.Retries,
        Timeout = order.Policy.Timeout,
        Gpus = order.Policy.Gpus,
        Memory = order.Policy.Memory,
        Forced = order.Forced,
        Queued = order.Queued,
        Trace = TraceContext.Current,
    };

    /// <summary>The order, to be worked on here.</summary>
    /// <param name="kind">The kind that the document names.</param>
    /// <param name="sourcesFolder">Where its sources will lie.</param>
    /// <exception cref="StageException">The document does not fit the kind.</exception>
    public WorkOrder ToOrder(IStageKind kind, Func<Digest, string> sourcesFolder)
    {
        var json = JsonNode.Parse(Document)!.AsObject();
        var document = new KeyDocument(json);
        if (document.Text != Document) throw new StageException("the stage's key document is not canonical; update so that the program is the same on both sides");
        var folder = sourcesFolder(document.Key);
        var sources = Sources.Select((source, i) => new OrderSource(Digest.Parse(source.Content), source.IsFolder, Path.Combine(folder, $"{i}", source.Name))).ToList();
        var next = 0;
        return new WorkOrder
        {
            Document = document,
            Kind = kind,
            // Sources come in the order in which the sender listed them.
            Parameters = ParameterReader.Read(kind, json["parameters"]!.AsObject(), source =>
                source is JsonValue ? new SourcePath(source.GetValue<string>(), null) : new SourcePath(Sources[next].Name, sources[next++].Path)),
            Stage = Stage,
            Pipeline = Pipeline,
            Run = Run,
            Seed = (long?)json["seed"] ?? 0,
            Profile = (string?)json["profile"],
            Compute = Compute.ToSettings(),
            Inputs = [.. Inputs.Select(input => input.ToInput())],
            Policy = new StagePolicy(Retries, Timeout, Gpus, Memory),
            Forced = Forced,
            Reasons = Reasons,
            Sources = sources,
            Queued = Queued,
        };
    }
}

/// <summary>What is computed with.</summary>
[GenerateSerializer]
internal sealed record ComputeMessage(
    [property: Id(0)] string Device, [property: Id(1)] string DeviceClass, [property: Id(2)] int Threads, [property: Id(3)] string Dtype, [property: Id(4)] bool Tf32,
    [property: Id(5)] string LibTorch)
{
    public static ComputeMessage Of(ComputeSettings settings) =>
        new(settings.Device, settings.DeviceClass, settings.Threads, settings.Dtype, settings.Tf32, settings.LibTorch);

    public ComputeSettings ToSettings() => new(Device, DeviceClass, Threads, Dtype, Tf32, LibTorch);
}

/// <summary>The outputs of other stages that one takes.</summary>
[GenerateSerializer]
internal sealed record InputMessage([property: Id(0)] string Name, [property: Id(1)] List<TreeMessage> Trees)
{
    public static InputMessage Of(OrderInput input) =>
        new(input.Name, [.. input.Trees.Select(tree => new TreeMessage(tree.Stage, tree.Uses, new Dictionary<string, string>(tree.Cell), tree.Tree.ToString()))]);

    public OrderInput ToInput() => new(Name, [.. Trees.Select(tree => new OrderTree(tree.Stage, tree.Uses, tree.Cell, Digest.Parse(tree.Tree)))]);
}

/// <summary>The output of another stage.</summary>
[GenerateSerializer]
internal sealed record TreeMessage(
    [property: Id(0)] string Stage, [property: Id(1)] string Uses, [property: Id(2)] Dictionary<string, string> Cell, [property: Id(3)] string Tree);

/// <summary>A local source of the sender, now in the store: its digest, and the last part of its name, which readers look at.</summary>
[GenerateSerializer]
internal sealed record SourceMessage([property: Id(0)] string Content, [property: Id(1)] bool IsFolder, [property: Id(2)] string Name);
