using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti lock</c>: writes down which revision each remote source of a pipeline stands for, so that others get the same.</summary>
internal static class LockCommand
{
    private static readonly Option<bool> Update = new("--update") { Description = "Ask anew for every source, not only for those that the lock file lacks." };

    public static Command Create(CliHost host)
    {
        var command = new Command("lock", "Write the revisions of a pipeline's remote sources beside it, so that everyone gets the same rows and weights.");
        command.Add(PipelineOptions.Pipeline);
        command.Add(Update);
        command.SetAction((parsed, cancellation) => LockAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> LockAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var file = PipelineFile.Find(parsed.GetRequiredValue(PipelineOptions.Pipeline), host);
        // What the file says, with any of its profiles, whatever somebody overrides here: the lock is for all who have the file.
        var catalog = new StageCatalog(host.Kinds());
        var loaded = PipelineLoader.Load(file, [], catalog, local: false);
        foreach (var diagnostic in loaded.Diagnostics) host.Terminal.Error.WriteLine(diagnostic);
        if (loaded.Pipeline is not { } pipeline) throw PipelineSession.Refuse(parsed, host, loaded);
        var before = SourceLock.Read(file);
        var (lines, revisions) = (new List<Line>(), new Dictionary<string, string>());
        if (host.Sources() is { } resolver)
        {
            foreach (var (kind, uri, source) in SourcePins.OpenEnds(PipelineSession.WithProfiles(pipeline, catalog), resolver))
            {
                var old = before.Revisions.GetValueOrDefault(source.Name);
                // Locked for good means asked for now, and not what a cache remembers.
                var kept = old is not null && !parsed.GetValue(Update) && resolver.Read(kind, source.At(old))?.Revision == old;
                var revision = kept ? old! : (await resolver.ResolveAsync(kind, uri, anew: true, cancellation)).Revision;
                revisions[source.Name] = revision;
                lines.Add(new Line(source.Name, old, revision));
            }
        }

        lines.AddRange(before.Revisions.Keys.Except(revisions.Keys).Order(StringComparer.Ordinal).Select(name => new Line(name, before.Revisions[name], null)));
        var written = lines.Any(line => line.Old != line.New);
        if (written) SourceLock.Write(file, revisions);
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, Json(before.Path, written, lines));
        else Write(host.Terminal.Out, before.Path, written, revisions.Count, lines);
        return ExitCodes.Done;
    }

    private static void Write(TextWriter output, string path, bool written, int count, IReadOnlyList<Line> lines)
    {
        foreach (var line in lines) output.WriteLine($"{line.Name}: {line.Told}");
        output.WriteLine(lines.Count == 0
            ? "nothing to lock: every source is local, or has its revision in the pipeline"
            : $"{path}: {Amounts.Of(count, "source")}{(written ? "" : ", unchanged ('--update' asks for newer ones)")}");
    }

    private static JsonObject Json(string path, bool written, IReadOnlyList<Line> lines) => new()
    {
        ["lock"] = path,
        ["written"] = written,
        ["sources"] = new JsonArray([.. lines.Select(line => new JsonObject { ["source"] = line.Name, ["old"] = line.Old, ["new"] = line.New })]),
    };

    private sealed record Line(string Name, string? Old, string? New)
    {
        public string Told => (Old, New) switch
        {
            (null, _) => $"{New}, new",
            (_, null) => "removed: the pipeline does not name it any more, or with a revision",
            _ when Old == New => $"{New}, as before",
            _ => $"{New}, was {Old}",
        };
    }
}
