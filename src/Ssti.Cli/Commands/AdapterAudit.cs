using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;
using Ssti.Stages;

namespace Ssti.Cli.Commands;

/// <summary>The half of <c>ssti audit</c> that looks at an adapter's folder: is this adapter safe?</summary>
internal static class AdapterAudit
{
    public const string Settings = "adapter_config.json";

    private const string Training = "training.json", DefaultSplit = "test";

    public static readonly Option<string?> Clean = new("--data")
    {
        Description = "Of an adapter: clean rows of its task to put tokens into, a file, folder or hf://owner/name (default: sentences of a "
            + "small grammar of film reviews).",
        HelpName = "source",
    };

    public static readonly Option<string?> Bank = new("--bank")
    {
        Description = "Of an adapter: a bank of clean and poisoned adapters of its base to compare its weights with, as 'ssti export' writes one "
            + "of pipelines/adapter-bank.yaml.",
        HelpName = "folder",
    };

    public static readonly Option<string[]> Labels = new("--labels")
    {
        Description = "Of an adapter: its classes in the order of its head's outputs (default: as its training.json or --data says). "
            + "Of 'fit': the classes of the data (default: those that occur), where one looks like none, such as -1 or 0.5.",
        HelpName = "a,b", AllowMultipleArgumentsPerToken = false,
    };

    public static readonly Option<int?> MaxLength = WholeNumber.Option("--max-length", null, 3, "Of an adapter: tokens of a row (default: as its training.json says, else 512).");

    public static readonly Option<string?> Suspects = new("--suspects") { Description = "Of an adapter: a file of further tokens to try, one a line.", HelpName = "file" };

    /// <summary>The options that audits of data have no use for.</summary>
    public static IReadOnlyList<Option> Own { get; } = [Clean, Bank, Labels, MaxLength, Suspects];

    /// <summary>Whether a folder is an adapter's.</summary>
    public static bool Is(string path) => File.Exists(Path.Combine(path, Settings));

    /// <summary>Audits it.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="rows">Which rows of --data are meant.</param>
    /// <param name="page">Where the page goes, or null.</param>
    /// <param name="cancellation">Stops.</param>
    public static async Task<int> RunAsync(CliHost host, ParseResult parsed, string folder, AuditRows rows, string? page, CancellationToken cancellation)
    {
        using var store = CommonOptions.Open(parsed, host);
        store.Workspace.Share();
        var (yaml, sets) = Pipeline(host, parsed, folder, rows);
        var file = Path.Combine(store.Workspace.Root, "audits", $"{NameOf(folder)}.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await OutputFile.WriteAsync(file, yaml, cancellation);
        using var session = PipelineSession.Open(parsed, host, file, opened: store, sets: sets);
        var result = await AuditRun.OfAsync(host, parsed, session, cancellation);
        if (result.Outcome != RunOutcome.Succeeded) return result.Outcome == RunOutcome.Cancelled ? ExitCodes.Interrupted : ExitCodes.Failed;
        var audit = await AuditRun.FilesAsync(session.Store, result, "audit", cancellation);
        var answer = JsonNode.Parse(await audit(AuditAdapterStage.AnswerFile))!.AsObject();
        if (page is not null)
        {
            var full = Path.GetFullPath(page, host.WorkingFolder);
            await OutputFile.WriteAsync(full, await audit(AuditAdapterStage.HtmlFile), cancellation);
            CommonOptions.Note(parsed, host, $"{full}: written");
        }

        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, answer);
        else
        {
            host.Terminal.Out.WriteLine(Table.FromJson(await audit(TableStage.JsonFile)).ToConsole(host.Terminal.Columns));
            AuditRun.WriteAnswer(host.Terminal.Out, answer);
            if (page is null) CommonOptions.Note(parsed, host, $"as a page: -o audit.html; the pipeline underneath: {file}");
        }

        // An audit that had nothing to judge by has not passed.
        return (bool)answer["found"]! ? ExitCodes.Found : (bool)answer["judged"]! ? ExitCodes.Done : ExitCodes.Failed;
    }

    // What it takes stands in the file; where it lies, beside it, since paths of the command line may lead anywhere.
    private static (string Yaml, IReadOnlyList<string> Sets) Pipeline(CliHost host, ParseResult parsed, string folder, AuditRows rows)
    {
        var model = parsed.GetValue(RowOptions.Model);
        var (sets, needs, parameters) = (new List<string>(), new List<string>(), new List<string>());
        var stages = new StringBuilder();
        var (data, bank, suspects) = (parsed.GetValue(Clean), parsed.GetValue(Bank), parsed.GetValue(Suspects));
        var labels = parsed.GetValue(Labels)?
            .SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .ToArray() is { Length: > 0 } given ? given : null;
        if (data is null && rows.Given is { } option) throw new UserException($"{option} is of the rows that an adapter is probed in, and there are none: give --data as well");
        if (bank is not null) sets.Add($"audit.bank-file={Local(bank, "--bank", host)}");
        if (suspects is not null) sets.Add($"audit.suspects={Local(suspects, "--suspects", host)}");
        if (model is null)
        {
            var alone = new[] { (data, "--data"), (suspects, "--suspects") }.FirstOrDefault(option => option.Item1 is not null).Item2;
            if (alone is not null || labels is not null)
            {
                throw new UserException(
                    $"{alone ?? "--labels"} is for probing, and probing an adapter needs the model it was trained on: give --model as well");
            }

            sets.Add($"audit.source={folder}");
        }
        else
        {
            var known = TrainingOf(folder);
            labels ??= known.Labels;
            if (labels is null && data is null)
                throw new UserException(
                    $"'{folder}' does not say what its classes are called: give --labels, in the order of its head's outputs, or --data with the "
                    + "labels that it was trained on");
            stages.Append("  backbone: { uses: model }\n");
            sets.Add($"backbone.source={Source(model, "--model", host)}");
            // Rows of the grammar are clean by the making, and of no task but the sentiment of films.
            stages.Append(data is null ? "  data: { uses: corpus, with: { train: 0, test: 2000, unlabelled: 0 } }\n"
                : $"  data: {{ uses: dataset, with: {{ name: {AuditCommand.Slug(data)}, splits: "
                    + $"[{rows.Split ?? (IsFile(data, host) ? DefaultSplit : $"train, {DefaultSplit}")}]{rows.Fields} }} }}\n");
            if (data is not null) sets.Add($"data.source={Source(data, "--data", host)}");
            stages.Append($"  adapter: {{ uses: adapter, needs: {{ model: backbone{(labels is null ? ", data: data" : "")} }} }}\n");
            sets.Add($"adapter.source={folder}");
            if (labels is not null) sets.Add($"adapter.labels={JsonSerializer.Serialize(labels)}");
            if ((parsed.GetValue(MaxLength) ?? known.MaxLength) is { } length) sets.Add($"adapter.max-length={length}");
            needs.AddRange(["adapter: adapter", "model: backbone", "data: data"]);
        }

        var of = needs.Count > 0 ? $", needs: {{ {string.Join(", ", needs)} }}" : "";
        if (rows.Split is { } split) sets.Add($"audit.split={split}");
        stages.Append($"  audit: {{ uses: audit-adapter{of} }}\n");
        return ($"# Written by 'ssti audit'; run with what that was given, as --set.\nname: {NameOf(folder)}\nstages:\n{stages}", sets);
    }

    private static string NameOf(string folder) => $"audit-{AuditCommand.Slug(folder)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..6]}";

    private static bool IsFile(string source, CliHost host) => !OpenStore.IsUrl(source) && File.Exists(Path.GetFullPath(source, host.WorkingFolder));

    private static string Source(string source, string option, CliHost host) => OpenStore.IsUrl(source) ? source : Local(source, option, host);

    private static string Local(string path, string option, CliHost host)
    {
        var full = Path.GetFullPath(path, host.WorkingFolder);
        return Path.Exists(full) ? full : throw new UserException($"{option}: there is no file or folder '{path}'");
    }

    // What `ssti export` of a training says of itself.
    private static (string[]? Labels, int? MaxLength) TrainingOf(string folder)
    {
        var file = Path.Combine(folder, Training);
        if (!File.Exists(file)) return (null, null);
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(file))!;
            return (json["labels"]?.AsArray().Select(label => (string)label!).ToArray(), (int?)json["maxLength"]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new UserException($"{file} cannot be read: {error.Message}");
        }
    }
}
