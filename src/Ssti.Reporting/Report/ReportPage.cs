using Ssti.Reporting.Claims;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Report;

/// <summary>What a report shows, as data: <see cref="ReportHtml"/> makes the page of it. All texts in it may be hostile; they are escaped there.</summary>
/// <param name="Title">The heading.</param>
public sealed record ReportPage(string Title)
{
    /// <summary>A sentence under the heading, or null.</summary>
    public string? Lead { get; init; }

    /// <summary>What there is to know of the whole: pipeline, command, devices, versions.</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];

    /// <summary>Claims.</summary>
    public IReadOnlyList<ReportPart<Claim>> Claims { get; init; } = [];

    /// <summary>Why results are doubtful; the stage is null where it is the run itself.</summary>
    public IReadOnlyList<ReportNote> Doubts { get; init; } = [];

    /// <summary>What is not there though one may look for it: stages that failed or did not run, outputs that cannot be read.</summary>
    public IReadOnlyList<ReportNote> Missing { get; init; } = [];

    /// <summary>Whether it says which kinds of part it has none of: a page about one thing has its reasons.</summary>
    public bool TellsAbsent { get; init; } = true;

    /// <summary>Tables.</summary>
    public IReadOnlyList<ReportPart<Table>> Tables { get; init; } = [];

    /// <summary>Figures.</summary>
    public IReadOnlyList<ReportPart<ReportFigure>> Figures { get; init; } = [];

    /// <summary>What was measured, a set for each cell.</summary>
    public IReadOnlyList<MeasureSet> Measures { get; init; } = [];

    /// <summary>Rows word by word.</summary>
    public IReadOnlyList<ReportPart<AttendedText>> Attention { get; init; } = [];

    /// <summary>Injected rows beside their originals.</summary>
    public IReadOnlyList<ReportPart<InjectedSplit>> Injected { get; init; } = [];

    /// <summary>The pipeline as a graph; empty where nobody knows it.</summary>
    public IReadOnlyList<ReportNode> Graph { get; init; } = [];

    /// <summary>Where the time of the run went; empty where nothing was executed, and in a stage's page, which knows no clock.</summary>
    public IReadOnlyList<ReportTime> Times { get; init; } = [];

    /// <summary>Where everything comes from, a line a stage and cell.</summary>
    public IReadOnlyList<ReportOrigin> Origins { get; init; } = [];

    /// <summary>Where the list of all runs is, on a server that has one; else null.</summary>
    public string? Up { get; init; }

    /// <summary>Seconds after which a browser loads the page again; null for one that does not change.</summary>
    public int? Refresh { get; init; }

    /// <summary>How to get what had to be left out, such as <c>'ssti export table1.yaml STAGE FOLDER' writes it</c>.</summary>
    public string More { get; init; } = "it stands in the stage's output";
}

/// <summary>A name and what it is.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value.</param>
public sealed record ReportFact(string Name, string Value);

/// <summary>A remark, of a stage or (null) of the whole.</summary>
/// <param name="Stage">The stage and cell.</param>
/// <param name="Text">The remark.</param>
public sealed record ReportNote(string? Stage, string Text);

/// <summary>Something that a stage left.</summary>
/// <param name="Stage">The stage and cell, such as <c>table1@40</c>.</param>
/// <param name="Cell">Its matrix values.</param>
/// <param name="Content">What it is.</param>
public sealed record ReportPart<T>(string Stage, IReadOnlyDictionary<string, string> Cell, T Content);

/// <summary>A figure.</summary>
/// <param name="Figure">What is drawn.</param>
/// <param name="Svg">The drawing.</param>
public sealed record ReportFigure(Figure Figure, string Svg);

/// <summary>Rows with the share of attention that each word gets.</summary>
/// <param name="About">What was read: model, layer, head.</param>
/// <param name="Rows">The rows.</param>
public sealed record AttendedText(IReadOnlyList<ReportFact> About, IReadOnlyList<AttendedLine> Rows);

/// <summary>A row.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Label">Its class.</param>
/// <param name="HasTrigger">Whether the model reads the token in it.</param>
/// <param name="Entropy">Of its attention, in bits.</param>
/// <param name="OnTrigger">The share of attention on the token, 0 to 1.</param>
/// <param name="Words">Its words in order.</param>
public sealed record AttendedLine(string Id, string Label, bool HasTrigger, double Entropy, double OnTrigger, IReadOnlyList<AttendedPiece> Words);

/// <summary>A word.</summary>
/// <param name="Text">As the model reads it.</param>
/// <param name="Weight">Its share of the attention, 0 to 1.</param>
/// <param name="IsTrigger">Whether it is the token.</param>
public sealed record AttendedPiece(string Text, double Weight, bool IsTrigger);

/// <summary>Rows of an injected split.</summary>
/// <param name="Split">The split.</param>
/// <param name="Injected">How many of its rows carry tokens.</param>
/// <param name="Rows">Those that are shown: the first ones.</param>
public sealed record InjectedSplit(string Split, long Injected, IReadOnlyList<InjectedPair> Rows);

/// <summary>An injected row and what it was.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Label">Its class.</param>
/// <param name="Text">The text with its tokens.</param>
/// <param name="Original">The text without.</param>
/// <param name="Tokens">Where the tokens stand in <paramref name="Text"/>: start and length in UTF-16 code units, in order.</param>
public sealed record InjectedPair(string Id, string Label, string Text, string Original, IReadOnlyList<(int Start, int Length)> Tokens);

/// <summary>A stage of the pipeline, with all its cells.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cells">How many cells it has.</param>
/// <param name="State">Of its cells the worst: <c>failed</c>, <c>skipped</c>, <c>cancelled</c>, <c>waiting</c>, <c>done</c> or <c>cached</c>.</param>
/// <param name="Note">The states of its cells in words.</param>
/// <param name="Needs">The names of the stages whose outputs it takes.</param>
public sealed record ReportNode(string Name, string Uses, int Cells, string State, string Note, IReadOnlyList<string> Needs);

/// <summary>When the cells of a stage were at work.</summary>
/// <param name="Name">The stage.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cells">How many cells were begun.</param>
/// <param name="Time">How long they took together, in words.</param>
/// <param name="Spans">When, as shares of the run's time from 0 to 1, and whether it failed.</param>
public sealed record ReportTime(string Name, string Uses, int Cells, string Time, IReadOnlyList<(double From, double To, bool Failed)> Spans);

/// <summary>Where the output of a stage and cell comes from. What nobody knows is null; columns of which nothing is known are left out.</summary>
/// <param name="Name">The stage and cell.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cell">Its matrix values.</param>
public sealed record ReportOrigin(string Name, string Uses, IReadOnlyDictionary<string, string> Cell)
{
    /// <summary>How it ended.</summary>
    public string? State { get; init; }

    /// <summary>The version of its kind.</summary>
    public string? Version { get; init; }

    /// <summary>The digest of its key document.</summary>
    public string? Key { get; init; }

    /// <summary>The digest of its outputs; in a stage's page, of the file that is shown.</summary>
    public string? Output { get; init; }

    /// <summary>Its seed.</summary>
    public string? Seed { get; init; }

    /// <summary>What it computed with: device, precision, threads, libtorch.</summary>
    public string? Numerics { get; init; }

    /// <summary>How long it took, in words.</summary>
    public string? Time { get; init; }

    /// <summary>The run that made it.</summary>
    public string? MadeBy { get; init; }
}
