using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>A checker or preprocessor.</summary>
public enum SanitiseStep
{
    /// <summary>Markup out, as a browser reads it.</summary>
    HtmlStrip,

    /// <summary>What looks like a date out.</summary>
    DateStrip,

    /// <summary>Numbers out.</summary>
    NumberStrip,

    /// <summary>Web addresses out.</summary>
    UrlStrip,

    /// <summary>Unknown words replaced by near ones of a Hunspell dictionary.</summary>
    SpellCheck,

    /// <summary>Corrected by a model behind a chat endpoint.</summary>
    Grammar,

    /// <summary>All letters small.</summary>
    LowerCase,

    /// <summary>Runs of white space become one space, none at the ends.</summary>
    CollapseWhitespace,

    /// <summary>A row whose text stands in an earlier row of its split is dropped.</summary>
    Deduplicate,
}

/// <summary>What a <c>sanitise</c> stage does.</summary>
public sealed record SanitiseParameters
{
    /// <summary>The steps in their order; none for a control.</summary>
    [Description("steps in their order: html-strip, date-strip, number-strip, url-strip, spell-check (needs 'dictionary'), "
        + "grammar (needs 'chat'), lower-case, collapse-whitespace, "
        + "deduplicate (the texts as the steps before leave them; the first row stays). Empty for a control, which is measured alike")]
    public required List<SanitiseStep> Steps { get; init; }

    /// <summary>The splits; empty for all.</summary>
    [Description("splits to sanitise; by default all. The others are passed on as they are")]
    public List<string> Splits { get; init; } = [];

    /// <summary>The splits to deduplicate.</summary>
    [Description("of these, splits in which 'deduplicate' drops rows: of a test set it would leave other rows than of the set that it is compared with")]
    public List<string> DeduplicateSplits { get; init; } = ["train"];

    /// <summary>The Hunspell dictionary.</summary>
    [Description("dictionary of spell-check, of no effect on other steps: a folder with a pair of .aff and .dic, "
        + "such as /usr/share/hunspell, whose content stands in the key, or a package of the npm registry, such as npm://dictionary-en/4.0.0")]
    public SourcePath? Dictionary { get; init; }

    /// <summary>Which pair of a folder.</summary>
    [Description("which pair, where the folder has several, such as en_US")]
    public string? DictionaryName { get; init; }

    /// <summary>The grammar corrector.</summary>
    [Description("the corrector of grammar, of no effect on other steps: any endpoint that speaks OpenAI's chat interface, or its recorded answers")]
    public ChatParameters? Chat { get; init; }
}
