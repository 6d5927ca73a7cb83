using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>What both audits, of data and of adapters, do with the pipeline underneath: run it, read what a stage left, and tell the answer.</summary>
internal static class AuditRun
{
    /// <summary>Runs the pipeline; failures are told.</summary>
    public static async Task<RunResult> OfAsync(CliHost host, ParseResult parsed, PipelineSession session, CancellationToken cancellation)
    {
        var (quiet, verbose) = (parsed.GetValue(CommonOptions.Quiet) || parsed.GetValue(CommonOptions.Json), parsed.GetValue(CommonOptions.Verbose));
        var options = new RunOptions
        {
            Jobs = Environment.ProcessorCount, CommandLine = Secrets.Without($"ssti {string.Join(' ', parsed.Tokens.Select(token => token.Value))}"),
        };
        RunResult result;
        await using (var display = new DeferredDisplay(host.Terminal, quiet, host.Time))
            result = await session.Runner.RunAsync(session.Pipeline, options, new RunListener(display, verbose, host.Time), cancellation);
        RunText.WriteWarnings(host.Terminal.Error, result);
        RunText.WriteFailures(host.Terminal.Error, result, strict: false);
        return result;
    }

    /// <summary>Gives the text of a file that a stage left, by its name.</summary>
    public static async Task<Func<string, Task<string>>> FilesAsync(IArtifactStore store, RunResult result, string stage, CancellationToken cancellation)
    {
        var files = (await store.TreeAsync(result.Stages.Single(one => one.Instance.Name == stage).Tree!.Value, cancellation)).Files;
        return async name => await store.CheckedTextAsync(files.Single(file => file.Path == name).Digest, cancellation);
    }

    /// <summary>The answer in words, as a stage left it.</summary>
    public static void WriteAnswer(TextWriter output, JsonObject audit)
    {
        var answer = audit["answer"]!.AsObject();
        output.WriteLine((string)answer["headline"]!);
        foreach (var (key, heading) in new[] { ("meaning", "What it means"), ("to-do", "What to do"), ("unseen", "What could not be seen") })
        {
            output.WriteLine();
            output.WriteLine(heading);
            foreach (var text in answer[key]!.AsArray()) output.WriteLine($"- {(string)text!}");
        }
    }
}
