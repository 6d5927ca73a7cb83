using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>
/// <c>ssti audit</c>: is this fine-tuning set safe, or this adapter? An ordinary pipeline underneath, so that what was audited before is
/// answered from the cache.
/// </summary>
internal static class AuditCommand
{
    private static readonly Argument<string> Source = new("data")
    {
        Description = "What to audit: a CSV, TSV, JSON lines or Parquet file, a folder, or a data set of the Hub (hf://owner/name); or the folder of an adapter (PEFT).",
    };

    private static readonly Option<string?> Rows = new("--flagged") { Description = "Write the rows to look at into this file, as CSV.", HelpName = "file" };
    private static readonly Option<string?> Cleaned = new("--cleaned")
    {
        Description = "Write the rows of the audited split that are not flagged into this file, as JSON lines.", HelpName = "file",
    };
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write the answer into this file, as one HTML page.", HelpName = "file" };

    private const string DefaultSplit = "train";

    public static Command Create(CliHost host)
    {
        var command = new Command("audit",
            "Look for what gives a data set's labels away (words, pairs, families, forms, and the rows that have them), or for what an adapter does to single tokens. "
            + "Exit code 0: nothing found; 3: something.")
        {
            Source, AuditRows.SplitOption, AuditRows.TextOption, AuditRows.LabelOption, RowOptions.Model, Output, Rows, Cleaned,
            AdapterAudit.Clean, AdapterAudit.Bank, AdapterAudit.Labels, AdapterAudit.MaxLength, AdapterAudit.Suspects,
            PipelineOptions.Set, PipelineOptions.Device, CommonOptions.Store,
        };
        command.SetAction((parsed, cancellation) => DataAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> DataAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var source = parsed.GetRequiredValue(Source);
        if (source.Length == 0) throw new UserException("an empty name is no data set; name a file, a folder or hf://owner/name");
        var remote = OpenStore.IsUrl(source);
        var path = remote ? source : Path.GetFullPath(source, host.WorkingFolder);
        if (!remote && !Path.Exists(path)) throw new UserException($"there is no file or folder '{source}' to audit");
        OutputFile.Look(host.WorkingFolder, [remote ? null : path, parsed.GetValue(AdapterAudit.Clean), parsed.GetValue(AdapterAudit.Suspects), parsed.GetValue(RowOptions.Model)],
            (Output.Name, parsed.GetValue(Output)), (Rows.Name, parsed.GetValue(Rows)), (Cleaned.Name, parsed.GetValue(Cleaned)));
        if (!remote && AdapterAudit.Is(path))
        {
            if (new Option[] { Rows, Cleaned }.FirstOrDefault(option => parsed.GetResult(option) is not null) is { } ofData)
                throw new UserException($"{ofData.Name} is of an audit of data, and '{source}' is the folder of an adapter: there are no rows to write");
            return await AdapterAudit.RunAsync(host, parsed, path, new AuditRows(parsed), parsed.GetValue(Output), cancellation);
        }

        if (AdapterAudit.Own.FirstOrDefault(option => parsed.GetResult(option) is not null) is { } ofAdapter)
            throw new UserException($"{ofAdapter.Name} is of an audit of an adapter, and '{source}' is no adapter's folder: it has no {AdapterAudit.Settings}");
        var model = parsed.GetValue(RowOptions.Model) is { } named ? OpenStore.IsUrl(named) ? named : Path.GetFullPath(named, host.WorkingFolder) : null;
        if (model is not null && !OpenStore.IsUrl(model) && !Path.Exists(model)) throw new UserException($"--model: there is no '{parsed.GetValue(RowOptions.Model)}'");
        using var store = CommonOptions.Open(parsed, host);
        store.Workspace.Share();
        var file = await PipelineAsync(store, path, model, parsed, cancellation);
        string[] sets = [$"data.source={path}", .. model is null ? Array.Empty<string>() : [$"model.source={model}"]];
        using var session = PipelineSession.Open(parsed, host, file, opened: store, sets: sets);
        var result = await AuditRun.OfAsync(host, parsed, session, cancellation);
        if (result.Outcome != RunOutcome.Succeeded) return result.Outcome == RunOutcome.Cancelled ? ExitCodes.Interrupted : ExitCodes.Failed;
        var audit = await AuditRun.FilesAsync(session.Store, result, "audit", cancellation);
        var answer = JsonNode.Parse(await audit(AuditDataStage.JsonFile))!.AsObject();
        var probe = model is null ? null : await AuditRun.FilesAsync(session.Store, result, "probe", cancellation);
        var probed = probe is null ? null : JsonNode.Parse(await probe(ProbeDataStage.JsonFile))!.AsObject();
        await WriteAsync(parsed.GetValue(Output), probe is null ? AuditDataStage.HtmlFile : ProbeDataStage.HtmlFile);
        await WriteAsync(parsed.GetValue(Rows), AuditDataStage.RowsFile);
        await WriteAsync(parsed.GetValue(Cleaned), $"{new AuditRows(parsed).Split ?? DefaultSplit}.jsonl");
        if (parsed.GetValue(CommonOptions.Json))
        {
            if (probed is not null) answer["probe"] = probed.DeepClone();
            JsonOutput.Write(host.Terminal.Out, answer);
        }
        else
        {
            if (probe is not null)
            {
                host.Terminal.Out.WriteLine(Table.FromJson(await probe(TableStage.JsonFile)).ToConsole(host.Terminal.Columns));
                host.Terminal.Out.WriteLine($"{(string)probed!["headline"]!}\n");
            }

            host.Terminal.Out.WriteLine(Table.FromJson(await audit(TableStage.JsonFile)).ToConsole(host.Terminal.Columns));
            AuditRun.WriteAnswer(host.Terminal.Out, answer);
            if (!parsed.GetValue(CommonOptions.Quiet) && parsed.GetValue(Output) is null)
                CommonOptions.Note(parsed, host, $"as a page: -o audit.html; the rows: --flagged rows.csv; without them: --cleaned train.jsonl; the pipeline underneath: {file}");
        }

        return (bool)answer["found"]! || (bool?)probed?["found"] == true ? ExitCodes.Found : ExitCodes.Done;

        async Task WriteAsync(string? to, string name)
        {
            if (to is null) return;
            var full = Path.GetFullPath(to, host.WorkingFolder);
            await OutputFile.WriteAsync(full, await (name == ProbeDataStage.HtmlFile ? probe! : audit)(name), cancellation);
            CommonOptions.Note(parsed, host, $"{full}: written");
        }
    }

    // The same source has the same file, and so the same history; what is audited stands in the key and not in the name.
    private static async Task<string> PipelineAsync(OpenStore store, string source, string? model, ParseResult parsed, CancellationToken cancellation)
    {
        var rows = new AuditRows(parsed);
        var split = rows.Split ?? DefaultSplit;
        // A file is audited whole, with a model as without: the probe keeps every tenth row to itself where there is no other split.
        var splits = File.Exists(source) ? split : split == "train" ? "train, test" : $"train, {split}";
        var name = $"audit-{Slug(source)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)))[..6]}";
        var yaml = string.Create(CultureInfo.InvariantCulture, $"""
            # Written by 'ssti audit'; run with --set data.source=...
            name: {name}
            stages:
              data:
                uses: dataset
                with: {"{"} name: {Slug(source)}, splits: [{splits}]{rows.Fields} {"}"}
              audit:
                uses: audit-data
                needs: {"{"} data: data {"}"}
                with: {"{"} split: {split}, cleaned: true {"}"}

            """) + (model is null ? "" : Probe(split, model));
        var file = Path.Combine(store.Workspace.Root, "audits", $"{name}.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await OutputFile.WriteAsync(file, yaml.ReplaceLineEndings("\n"), cancellation);
        return file;
    }

    // A folder's path may reach no output, so that its model would go by a digest; here whoever asks knows the folder by its name.
    private static string Probe(string split, string model) => $$"""
          model:
            uses: model
            with: { {{(OpenStore.IsUrl(model) ? "" : $"name: {Slug(model)}")}} }
          probe:
            uses: probe-data
            needs: { data: data, model: model }
            with: { held-out: {{(split == "test" ? "train" : "test")}}, audit: { split: {{split}}, onion-rows: 0 } }

        """;

    internal static string Slug(string source)
    {
        var slug = string.Concat(Path.GetFileNameWithoutExtension(source.TrimEnd('/')).ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return slug.Length == 0 ? "data" : slug[..Math.Min(slug.Length, 40)];
    }
}
