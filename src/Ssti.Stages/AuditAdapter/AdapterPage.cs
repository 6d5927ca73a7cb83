using System.Globalization;
using Ssti.Defenses.Adapters;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>An audit of an adapter as one HTML page, and its first table.</summary>
internal static class AdapterPage
{
    private const int MostTokens = 12;
    private static readonly IReadOnlyDictionary<string, string> NoCell = new Dictionary<string, string>();

    /// <summary>The tokens that did the most unusual things, controls last; of an adapter that was not probed its modules.</summary>
    public static Table Summary(AuditedAdapter adapter, AdapterProbe? probe) => probe is null ? Modules(adapter) : Tokens(probe);

    /// <summary>The page.</summary>
    public static ReportPage Of(
        string stage, AuditAnswer answer, AuditedAdapter adapter, Table summary, Dictionary<string, NamedMeasure> measures, IReadOnlyList<string> warnings)
    {
        var modules = Modules(adapter);
        return new("Audit of an adapter")
        {
            Lead = answer.Headline,
            Facts = AuditPage.Facts(answer),
            Tables = [new(stage, NoCell, summary), .. summary.Title == modules.Title ? [] : new[] { new ReportPart<Table>(stage, NoCell, modules) }],
            Measures = [new MeasureSet(stage, NoCell, measures, null, [])],
            Doubts = [.. warnings.Select(warning => new ReportNote(stage, warning))],
            TellsAbsent = false,
            More = $"all of them stand in {AuditAdapterStage.TokensFile} and modules.jsonl of the stage's output",
        };
    }

    private static Table Tokens(AdapterProbe probe)
    {
        var suspects = probe.Families.Concat(probe.Tokens.Where(token => !token.IsControl)).OrderByDescending(token => token.Outlier).Take(MostTokens);
        var strongest = probe.Tokens.Where(token => token.IsControl).OrderByDescending(token => token.Outlier).Take(3);
        return new(
            "What tokens do to the model",
            [
                new("family", "family", Align.Left), new("token", "token", Align.Left), new("class", "towards", Align.Left),
                new("turned", "rows turned", Unit: "fraction", Definition: "of the rows of other classes, the share that it turns to this class"),
                new("shift", "mean shift", Unit: "nats", Definition: "mean change of the class's log-odds over the rows"),
                new("outlier", "outlier", Unit: "deviations", Definition: "of mean or max − mean, whichever is more unusual, in robust deviations from the median of the controls"),
            ],
            [.. suspects.Concat(strongest).Select(token => Row(token, probe))],
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Put behind the first words of {probe.Prefixes} rows; below, the strongest of "
                    + $"{probe.Tokens.Count(token => token.IsControl)} controls, which are words of the rows."),
                "rows turned: of the rows of other classes, the share that the token turns to this class. mean shift: of the class's log-odds, in nats. "
                    + "outlier: of the mean or of max − mean over rows, whichever is more unusual, in robust deviations from the median of the controls.",
            ]);
    }

    private static IReadOnlyList<Cell> Row(ProbedToken token, AdapterProbe probe)
    {
        var label = token.Strongest;
        var shift = token.Classes[label];
        return
        [
            new TextCell(token.Suspect.Family), new TextCell(token.Suspect.Token.Length > 0 ? token.Suspect.Token : "(all of it)"), new TextCell(probe.Labels[label]),
            shift.TurnedShare is { } turned ? new NumberCell(NumberFormat.Percent, turned) : TextCell.Undefined, new NumberCell(NumberFormat.Decimal, shift.Mean),
            token.Outlier is { } outlier ? new NumberCell(NumberFormat.Decimal, outlier) : TextCell.Undefined,
        ];
    }

    private static Table Modules(AuditedAdapter adapter) => new(
        "What the weights say, module by module",
        [
            new("module", "module", Align.Left), new("rank", "rank"),
            .. AdapterSpectrum.Numbers.Select(number => new Column(number.Name, number.Name, Unit: number.Unit, Definition: number.Definition)),
        ],
        [.. adapter.Spectrum.Modules.Select(module => (IReadOnlyList<Cell>)
        [
            new TextCell(module.Module), new NumberCell(NumberFormat.Count, module.Rank),
            .. AdapterSpectrum.Numbers.Select(number => number.Of(module) is { } value ? new TextCell(value.ToString("G4", CultureInfo.InvariantCulture)) : TextCell.Undefined),
        ])],
        [.. AdapterSpectrum.Numbers.Select(number => $"{number.Name}: {number.Definition}.")]);
}
