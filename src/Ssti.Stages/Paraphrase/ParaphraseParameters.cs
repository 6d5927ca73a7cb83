using System.ComponentModel;
using Ssti.Corpus.Rewriting;

namespace Ssti.Stages;

/// <summary>Who paraphrases.</summary>
public enum ParaphraseMethod
{
    /// <summary>Rules that come with the program.</summary>
    RuleBased,

    /// <summary>A model behind a chat endpoint, or its recorded answers.</summary>
    Chat,
}

/// <summary>What a <c>paraphrase</c> stage does.</summary>
public sealed record ParaphraseParameters
{
    /// <summary>Who paraphrases.</summary>
    [Description("rule-based: rules that come with the program, no model; chat: a model behind an endpoint, or its recorded answers")]
    public ParaphraseMethod Method { get; init; } = ParaphraseMethod.RuleBased;

    /// <summary>The splits; empty for all.</summary>
    [Description("splits to paraphrase; by default all. The others are passed on as they are")]
    public List<string> Splits { get; init; } = [];

    /// <summary>What the rules change.</summary>
    [Description("for rule-based: what may change")]
    public List<ParaphraseRule> Rules { get; init; } =
        [ParaphraseRule.Clauses, ParaphraseRule.Contractions, ParaphraseRule.FunctionWords, ParaphraseRule.Synonyms, ParaphraseRule.Punctuation];

    /// <summary>How often a rule is applied where it fits.</summary>
    [Description("for rule-based: at what share of the places where a rule fits it is applied")]
    public double Rate { get; init; } = 0.5;

    /// <summary>The model.</summary>
    [Description("for chat: any endpoint that speaks OpenAI's chat interface, or its recorded answers")]
    public ChatParameters? Chat { get; init; }
}
