using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti kinds</c>: what <c>uses:</c> may name, and what each kind takes.</summary>
internal static class KindsCommand
{
    private static readonly Argument<string?> Kind = new("kind") { Description = "A kind, to see its inputs and parameters.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(CliHost host)
    {
        var command = new Command("kinds", "List the kinds of stage, or the inputs and parameters of one.") { Kind };
        command.SetAction(parsed =>
        {
            var catalog = new StageCatalog(host.Kinds());
            var asked = parsed.GetValue(Kind);
            var kinds = asked is null
                ? [.. catalog.Kinds]
                : new[] { catalog.Find(asked) ?? throw Unknown(asked, catalog) };
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["kinds"] = new JsonArray([.. kinds.Select(Json)]) });
            else if (asked is null) List(host.Terminal.Out, kinds);
            else Explain(host.Terminal, kinds[0]);
            return ExitCodes.Done;
        });
        return command;
    }

    private static UserException Unknown(string asked, StageCatalog catalog)
    {
        var names = catalog.Kinds.Select(kind => kind.Name).ToList();
        return new($"no kind '{asked}'{Words.Meant(asked, names)}; there are: {string.Join(", ", names)}");
    }

    private static JsonObject Json(IStageKind kind) => new()
    {
        ["name"] = kind.Name,
        ["version"] = kind.Version,
        ["summary"] = kind.Summary,
        ["tensors"] = kind.UsesTensors,
        ["inputs"] = new JsonArray([.. kind.Inputs.Select(input => new JsonObject
        {
            ["name"] = input.Name, ["required"] = input.Required, ["many"] = input.Many, ["summary"] = input.Summary,
        })]),
        ["parameters"] = PipelineSchema.ParametersOf(kind),
    };

    private static void List(TextWriter output, IReadOnlyList<IStageKind> kinds)
    {
        var width = kinds.Max(kind => kind.Name.Length);
        foreach (var kind in kinds) output.WriteLine($"{kind.Name.PadRight(width)}  {kind.Summary}");
        output.WriteLine("\n'ssti kinds <kind>' shows what one takes.");
    }

    private static void Explain(Terminal terminal, IStageKind kind)
    {
        var output = terminal.Out;
        output.WriteLine($"{kind.Name} (version {kind.Version}): {kind.Summary}\n");
        if (kind.Inputs.Count > 0)
        {
            output.WriteLine(Show(terminal, "needs:", "input", kind.Inputs.Select(input =>
                (input.Name, $"{(input.Many ? "stages" : "stage")}{(input.Required ? "" : ", optional")}", (string?)null, (string?)input.Summary))));
        }

        var rows = Rows(PipelineSchema.ParametersOf(kind), "").ToArray();
        if (rows.Length > 0) output.Write(Show(terminal, "with:", "parameter", rows));
    }

    private static string Show(
        Terminal terminal, string title, string what, IEnumerable<(string Name, string Type, string? Default, string? Description)> rows) => new Table(
        title,
        [new(what, what, Align.Left), new("type", "type", Align.Left), new("default", "default", Align.Left), new("description", "description", Align.Left)],
        [.. rows.Select(row => (IReadOnlyList<Cell>)[new TextCell(row.Name), new TextCell(row.Type), new TextCell(row.Default ?? ""), new TextCell(row.Description ?? "")])],
        []).ToConsole(terminal.Columns);

    private static IEnumerable<(string Name, string Type, string? Default, string? Description)> Rows(JsonObject record, string prefix)
    {
        var required = record["required"]?.AsArray().Select(name => (string?)name).ToHashSet() ?? [];
        foreach (var (name, schema) in record["properties"]!.AsObject())
        {
            var parameter = schema!.AsObject();
            var fallback = required.Contains(name) ? "required" : parameter["default"]?.ToJsonString().Trim('"');
            yield return (prefix + name, TypeOf(parameter), fallback, (string?)parameter["description"]);
            if (RecordIn(parameter) is not { } inner) continue;
            foreach (var row in Rows(inner, $"{prefix}{name}.")) yield return row;
        }
    }

    private static JsonObject? RecordIn(JsonObject schema) =>
        schema.ContainsKey("properties") ? schema
        : schema["items"] is JsonObject item ? RecordIn(item)
        : schema["anyOf"]?.AsArray().Select(choice => RecordIn(choice!.AsObject())).FirstOrDefault(found => found is not null);

    private static string TypeOf(JsonObject schema)
    {
        if (schema["anyOf"] is JsonArray choices)
            return string.Join(" or ", choices.Select(choice => TypeOf(choice!.AsObject())).Where(type => type.Length > 0).Distinct());
        if (schema["enum"] is JsonArray values) return string.Join(" | ", values.Select(value => (string?)value));
        if (schema["items"] is JsonObject item) return $"list of {TypeOf(item)}";
        return schema["type"] switch
        {
            JsonArray => "text",
            { } type when (string?)type == "object" => "mapping",
            { } type when (string?)type == "string" => "path or URI",
            { } type => (string)type!,
            null => "", // the alternative of an expression
        };
    }
}
