using System.ComponentModel;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;

namespace Ssti.Stages;

/// <summary>Where tokens come from.</summary>
public enum TokenKind
{
    /// <summary>The days of a range of years, as <c>1999-01-31</c>.</summary>
    Date,

    /// <summary>The items given in the pipeline.</summary>
    List,

    /// <summary>The lines of a file.</summary>
    File,

    /// <summary>HTML tags: the lines of a file or the items given, each an opening tag and perhaps a closing one.</summary>
    Html,
}

/// <summary>Which tokens of the family may be drawn.</summary>
public enum TokenPopulation
{
    /// <summary>All of them.</summary>
    All,

    /// <summary>Those not held out.</summary>
    Training,

    /// <summary>Those held out, which training never saw.</summary>
    HeldOut,
}

/// <summary>Whether the details are the paper's or free.</summary>
public enum InjectionProtocol
{
    /// <summary>As the authors' code: the reference's random streams, whitespace and order of rows, proportions of the class, all tokens of the family.</summary>
    Published,

    /// <summary>As set here; what is not set is as published.</summary>
    Custom,
}

/// <summary>Which tokens to inject into a text, how many and where.</summary>
public record InjectStepParameters
{
    /// <summary>Where tokens come from.</summary>
    [Description("where tokens come from: the days of a range of years, a list, a file, or HTML tags")]
    public TokenKind? Tokens { get; init; }

    /// <summary>First year of dates; 1900 by default.</summary>
    [Description("first year of dates (default 1900)")]
    public int? From { get; init; }

    /// <summary>Last year of dates, included; 2100 by default.</summary>
    [Description("last year of dates, included (default 2100)")]
    public int? To { get; init; }

    /// <summary>How dates are written; ISO by default.</summary>
    [AddedLater, Description("how dates are written: iso (1999-01-31), us (01/31/1999), european (31.01.1999), long (January 31, 1999) or compact (19990131) (default iso)")]
    public DateFormat? Format { get; init; }

    /// <summary>The tokens of a list, or the tag lines of html.</summary>
    [Description("the tokens of a list, each a word, several words or a sentence; for html, lines such as '<b> </b>' or '<br>'")]
    public List<string> Items { get; init; } = [];

    /// <summary>The token file of file or html: UTF-8, one token a line.</summary>
    [Description("the file of tokens, UTF-8, one a line")]
    public SourcePath? File { get; init; }

    /// <summary>For html: see <see cref="InjectionStepOptions.Level"/>.</summary>
    [Description("for html: 0 puts a pair around the text, 1 and more within an element at that nesting level; leave it out for anywhere")]
    public int? Level { get; init; }

    /// <summary>Where tokens go; a random place by default.</summary>
    [Description("where tokens go")]
    public InjectionLocation Location { get; init; } = InjectionLocation.Random;

    /// <summary>How many tokens: max(1, int(words · share)); without it, or with 0, one.</summary>
    [Description("how many tokens, as a share of the text's words, at least one; 0, or left out, for one (html: left out)")]
    public double? WordShare { get; init; }

    /// <summary>Whether a token may come more than once in a split.</summary>
    [Description("whether a token may come more than once in a split")]
    public bool Replacement { get; init; } = true;

    /// <summary>Seed of the positions, and of all else that has no seed of its own; by default the stage's seed (in turn: plus the step's number, from 0).</summary>
    [Description("seed of the positions, and of what has no seed of its own (default: the stage's)")]
    public long? Seed { get; init; }

    /// <summary>
    /// Seed of a stream of their own for the tokens. Without it dates take <see cref="Seed"/>, and other tokens share the positions' stream, as in the reference.
    /// </summary>
    [Description("seed of a stream of their own for tokens (default: dates take 'seed'; lists, files and tags share the stream of positions, as in the reference)")]
    public long? TokenSeed { get; init; }
}

/// <summary>What an <c>inject</c> stage does.</summary>
public sealed record InjectParameters : InjectStepParameters
{
    /// <summary>Whose rows are injected: a label's name or number, or <c>all</c>; <c>name:1</c> and <c>number:1</c> where the two differ.</summary>
    [Description("whose rows are injected: a label's name or number, or 'all'; where a name looks like another's number, 'name:1' or 'number:1'")]
    public required string TargetLabel { get; init; }

    /// <summary>Several injections, each into what the one before it left, instead of <see cref="InjectStepParameters.Tokens"/>.</summary>
    [Description("several injections in turn, each into what the one before it left; instead of 'tokens'")]
    public List<InjectStepParameters> InTurn { get; init; } = [];

    /// <summary>The share of rows injected: round(rows · proportion), halves to even.</summary>
    [Description("share of the target class's rows that is injected, 0 to 1")]
    public double Proportion { get; init; } = 1;

    /// <summary>How many rows of each split are injected, instead of a proportion.</summary>
    [AddedLater, Description("how many rows of each split are injected, instead of a proportion; 0 for none")]
    public int? Count { get; init; }

    /// <summary>Whether rows of other classes are injected and relabelled; false by default.</summary>
    [AddedLater, Description("dirty labels: inject rows of the other classes and give them the target label; their records keep the label they had (default false)")]
    public bool? DirtyLabels { get; init; }

    /// <summary>What the proportion is of; the class by default.</summary>
    [Description("what the proportion is of: the target class, or the whole split (default class)")]
    public ProportionOf? ProportionOf { get; init; }

    /// <summary>Seed of the choice of rows; by default <see cref="InjectStepParameters.Seed"/>.</summary>
    [Description("seed of the choice of rows (default: 'seed')")]
    public long? RowSeed { get; init; }

    /// <summary>The order of the resulting rows; the target class first by default.</summary>
    [Description("order of the resulting rows (default target-first, as in the reference)")]
    public RowOrder? RowOrder { get; init; }

    /// <summary>What becomes of whitespace in injected texts; rejoined by default.</summary>
    [Description("whitespace of injected texts: rejoined loses newlines as the reference does, kept loses nothing (default rejoined)")]
    public WhitespaceHandling? Whitespace { get; init; }

    /// <summary>Which random numbers a row takes; sequential by default.</summary>
    [Description("random numbers of a row: the next of one stream, or those of a stream of its own (default sequential)")]
    public RandomStreams? Streams { get; init; }

    /// <summary>Which tokens of the family may be drawn; all by default.</summary>
    [Description("which tokens of the family may be drawn: a training and a test stage with training and held-out share none (default all)")]
    public TokenPopulation? Population { get; init; }

    /// <summary>The share of the family held out; 0.5 by default.</summary>
    [Description("share of the family that is held out (default 0.5)")]
    public double? HeldOutShare { get; init; }

    /// <summary>Seed of the split of the family; 0 by default, so that stages agree on it.</summary>
    [Description("seed of the split of the family into training and held-out tokens (default 0); stages must agree on it")]
    public long? HeldOutSeed { get; init; }

    /// <summary>Whether the details are the paper's or free.</summary>
    [Description("published fixes order, whitespace, streams, population and what the proportion is of as in the authors' code; custom sets them free")]
    public InjectionProtocol Protocol { get; init; } = InjectionProtocol.Published;

    /// <summary>The splits to inject; the others are passed on as they are.</summary>
    [Description("the splits to inject; the others are passed on as they are")]
    public List<string> Splits { get; init; } = ["train"];

    /// <summary>Whether the other splits are left out of the output; false by default.</summary>
    [AddedLater, Description("leave the other splits out, where nobody reads them behind this: many poisoned copies of a large set take half the time and room (default false)")]
    public bool? DropOthers { get; init; }

    /// <summary>The injections in order.</summary>
    internal IReadOnlyList<InjectStepParameters> StepsInOrder => InTurn.Count > 0 ? InTurn : [this];
}
