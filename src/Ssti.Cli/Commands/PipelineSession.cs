using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;
using Ssti.Signing;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Commands;

/// <summary>A loaded pipeline with the store it runs on.</summary>
internal sealed record PipelineSession(Pipeline Pipeline, OpenStore Opened, Runner Runner, KeyBuilder Keys, SourcePins? Sources) : IDisposable
{
    public IArtifactStore Store => Opened.Artifacts;

    public Workspace Workspace => Opened.Workspace;

    /// <summary>Whether the store is somebody else's to close.</summary>
    public bool IsLent { get; init; }

    /// <summary>Loads the pipeline that the command line names; its errors are shown and end the command.</summary>
    /// <exception cref="UserException">The pipeline has errors.</exception>
    public static PipelineSession Open(ParseResult parsed, CliHost host, ClusterRun? cluster = null) =>
        Open(parsed, host, parsed.GetRequiredValue(PipelineOptions.Pipeline), cluster);

    /// <summary>Loads a pipeline file, with the command line's overrides.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="host">The machine.</param>
    /// <param name="file">The file.</param>
    /// <param name="cluster">The cluster that runs it, or null.</param>
    /// <param name="opened">The store that the caller has open, and closes; null to open the pipeline's own.</param>
    /// <param name="profile">The profile; null for that of the command line.</param>
    /// <param name="sets">Values that a verb gives a pipeline that it wrote itself, before those of the command line.</param>
    /// <exception cref="UserException">There is no such file, or the pipeline has errors.</exception>
    public static PipelineSession Open(
        ParseResult parsed, CliHost host, string file, ClusterRun? cluster = null, OpenStore? opened = null, string? profile = null, IReadOnlyList<string>? sets = null)
    {
        file = PipelineFile.Find(file, host);
        List<string> overrides = [.. sets ?? [], .. parsed.GetValue(PipelineOptions.Set) ?? []];
        if (parsed.GetValue(PipelineOptions.Device) is { } device) overrides.Add($"compute.device={device}");
        profile ??= parsed.GetValue(PipelineOptions.Profile);
        var catalog = new StageCatalog(host.Kinds());
        var loaded = PipelineLoader.Load(file, overrides, catalog, local: !parsed.GetValue(PipelineOptions.NoLocal), profile);
        foreach (var diagnostic in loaded.Diagnostics) host.Terminal.Error.WriteLine(diagnostic);
        if (loaded.Local is { Used.Count: > 0 } local && !parsed.GetValue(CommonOptions.Quiet)) host.Terminal.Error.WriteLine(Said(local));
        if (loaded.Pipeline is { } pipeline)
        {
            var store = opened ?? (cluster is null ? CommonOptions.Open(parsed, host, file) : ClusterRun.Store(parsed, host, file));
            var keys = new KeyBuilder(cluster?.Connection.Probe(host.Probe) ?? host.Probe);
            var (signer, trust) = (KeyRing.Of(host.Environment).Signer(), KeysCommand.Trust(parsed, host));
            if (trust is not null && cluster is null && (signer is null || trust.Keys.All(key => key.Fingerprint != signer.Fingerprint)))
                CommonOptions.Note(parsed, host, $"what is executed here is not signed by {trust.Names}: with the same --trust it is executed again next time");
            var artifacts = SignedStore.Of(store.Artifacts, signer, trust);
            var worker = cluster?.Connection.Worker(artifacts);
            var overridden = overrides.Count > 0 || loaded.Local is { Used.Count: > 0 };
            var locked = parsed.GetValue(PipelineOptions.Locked);
            var sources = host.Sources() is { } resolver
                ? new SourcePins(resolver, SourceLock.Read(pipeline.File), locked, overridden, locked ? WithProfiles(pipeline, catalog) : null) : null;
            return new(pipeline, store, new Runner(artifacts, store.Workspace, keys, host.Time, worker, sources), keys, sources) { IsLent = opened is not null };
        }

        throw Refuse(parsed, host, loaded);
    }

    /// <summary>A pipeline as its file says it, with each of its profiles. One that is wrong is told when somebody runs it.</summary>
    public static IReadOnlyList<Pipeline> WithProfiles(Pipeline pipeline, StageCatalog catalog) => [.. pipeline.Profiles.Keys.Prepend(null)
        .Select(profile => PipelineLoader.Load(pipeline.File, [], catalog, profile: profile).Pipeline).OfType<Pipeline>()];

    private static string Said(LocalValues local) => $"local values of {local.File}: {string.Join(", ", local.Used)}"
        + (local.PassedOver.Count > 0 ? $" (of other pipelines: {string.Join(", ", local.PassedOver)})" : "");

    public Task<Plan> PlanAsync(ParseResult parsed, CancellationToken cancellation) =>
        Runner.PlanAsync(Pipeline, PipelineOptions.Selection(parsed), cancellation);

    /// <summary>What of the pipeline another store has: planned as if everything were there.</summary>
    public Task<Plan> PlanOnAsync(IArtifactStore other, RunSelection selection, CancellationToken cancellation) =>
        new Runner(other, Workspace, Keys, sources: Sources).PlanAsync(Pipeline, selection, cancellation);

    /// <summary>Shows what is wrong with a pipeline, which ends the command.</summary>
    /// <returns>What to throw.</returns>
    public static UserException Refuse(ParseResult parsed, CliHost host, PipelineResult loaded)
    {
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, Json(loaded.Diagnostics));
        var errors = loaded.Diagnostics.Count(diagnostic => diagnostic.Severity == Severity.Error);
        return new UserException($"{errors} {(errors == 1 ? "error" : "errors")} in the pipeline; nothing was run");
    }

    public void Dispose()
    {
        if (!IsLent) Opened.Dispose();
    }

    private static JsonObject Json(IReadOnlyList<Diagnostic> diagnostics) => new()
    {
        ["diagnostics"] = new JsonArray([.. diagnostics.Select(diagnostic => new JsonObject
        {
            ["severity"] = diagnostic.Severity.ToString().ToLowerInvariant(),
            ["code"] = diagnostic.Code,
            ["file"] = diagnostic.Where.File,
            ["line"] = diagnostic.Where.Line,
            ["column"] = diagnostic.Where.Column,
            ["message"] = diagnostic.Message,
            ["help"] = diagnostic.Help,
        })]),
    };
}
