using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Rewriting;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Randomness;

namespace Ssti.Stages;

/// <summary>Paraphrases the rows of a dataset, by a model or by rules: what <c>sanitise</c> leaves, and the questions and answers of a model.</summary>
/// <param name="environment">Gives an environment variable, or null: where the key of a chat endpoint is.</param>
public sealed class ParaphraseStage(Func<string, string?>? environment = null) : StageKind<ParaphraseParameters>
{
    private const string Paraphrase =
        "Paraphrase the following text. Keep its meaning and its sentiment, and write it in other words. Answer with the paraphrase only.\n\n{text}";

    /// <inheritdoc/>
    public override string Name => "paraphrase";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Paraphrases a dataset, by a model behind a chat endpoint or by rules, and measures what is left of its tokens.";

    /// <inheritdoc/>
    public override bool UsesSeed(ParaphraseParameters parameters) => parameters.Method == ParaphraseMethod.RuleBased;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset (uses: inject, dataset, corpus or sanitise)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ParaphraseParameters parameters)
    {
        var chat = parameters.Method == ParaphraseMethod.Chat;
        if (chat && parameters.Chat is null) yield return new("chat", "is missing; method chat needs an endpoint or recorded answers");
        if (!chat && parameters.Chat is not null) yield return new("chat", "belongs to method chat; this is rule-based");
        if (!chat && parameters.Rules.Count == 0) yield return new("rules", "is empty; name at least one, such as synonyms");
        if (parameters.Rate is not (> 0 and <= 1)) yield return new("rate", "must be above 0, and at most 1");
        foreach (var twice in parameters.Splits.GroupBy(split => split).Where(group => group.Count() > 1)) yield return new("splits", $"'{twice.Key}' stands twice; keep one");
        foreach (var error in parameters.Chat?.Check("chat") ?? []) yield return error;
    }

    /// <inheritdoc/>
    public override async Task RunAsync(ParaphraseParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var rewrite = new DatasetRewrite(context, DatasetReader.Open(context.Input("data").PathOf), parameters.Splits);
            if (parameters.Method == ParaphraseMethod.RuleBased)
            {
                var rules = new RuleParaphraser(parameters.Rules.ToHashSet(), parameters.Rate);
                string[] names = [.. parameters.Rules.Distinct().Order().Select(Word)];
                await rewrite.RunAsync((_, rows) => Task.FromResult(ByRules(rules, rows, context.Seed, cancellation)),
                    $"paraphrase, rule-based ({string.Join(", ", names)})",
                    new JsonObject
                    {
                        ["stage"] = Name, ["method"] = "rule-based", ["rules"] = new JsonArray([.. names.Select(name => (JsonNode)name)]), ["rate"] = parameters.Rate,
                        ["seed"] = context.Seed.ToString(CultureInfo.InvariantCulture),
                    }, cancellation);
                return;
            }

            using var chat = new ChatRewriter(parameters.Chat!, Paraphrase, context, environment ?? (_ => null));
            await rewrite.RunAsync(async (split, rows) => new RewrittenTexts(await chat.AnswersAsync(split.Name, rows, [.. rows.Select(row => row.Text)], cancellation)),
                $"paraphrase, by {parameters.Chat!.Model}", new JsonObject { ["stage"] = Name, ["method"] = "chat", ["chat"] = chat.Describe() }, cancellation);
            chat.Save();
        }
        catch (Exception error) when (error is CorpusException or InjectionException)
        {
            throw new StageException(error.Message, error);
        }
    }

    // A stream for each row, so that a row comes out the same whatever stands before it.
    private static RewrittenTexts ByRules(RuleParaphraser rules, IReadOnlyList<Row> rows, long seed, CancellationToken cancellation)
    {
        var texts = new string[rows.Count];
        for (var i = 0; i < texts.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            texts[i] = rules.Rewrite(rows[i].Text, (ulong)(RowStreams.SeedOf(new BigInteger(seed), "paraphrase", rows[i].Id) & ulong.MaxValue));
        }

        return new RewrittenTexts(texts);
    }

    private static string Word(ParaphraseRule rule) => JsonNamingPolicy.KebabCaseLower.ConvertName(rule.ToString());
}
