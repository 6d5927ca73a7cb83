using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Rewriting;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Words;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// Puts a dataset through checkers and preprocessors. Leaves the dataset, the records of what is left of each token, and how much of the tokens and of all other words was
/// lost (<c>measures.json</c>).
/// </summary>
/// <param name="environment">Gives an environment variable, or null: where the key of a chat endpoint is.</param>
public sealed class SanitiseStage(Func<string, string?>? environment = null) : StageKind<SanitiseParameters>
{
    // The published bounds of a correction's length, by that of the text.
    private const double Shortest = 0.3, Longest = 3;

    private const string CorrectGrammar = "Correct the grammar and spelling of the following text. Answer with the corrected text only.\n\n{text}";

    /// <inheritdoc/>
    public override string Name => "sanitise";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Puts a dataset through checkers and preprocessors, and measures what is left of its tokens and of its other words.";

    /// <inheritdoc/>
    public override bool UsesSeed(SanitiseParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset (uses: inject, dataset, corpus, paraphrase or sanitise)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(SanitiseParameters parameters)
    {
        foreach (var twice in parameters.Splits.GroupBy(split => split).Where(group => group.Count() > 1)) yield return new("splits", $"'{twice.Key}' stands twice; keep one");
        var (spells, asks) = (parameters.Steps.Contains(SanitiseStep.SpellCheck), parameters.Steps.Contains(SanitiseStep.Grammar));
        if (spells && parameters.Dictionary is null) yield return new("dictionary", "is missing; "
            + "spell-check needs a folder with a Hunspell dictionary, such as /usr/share/hunspell");
        if (parameters.Dictionary is { IsUri: true } uri && NpmPackage.Parse(uri.Text) is null)
            yield return new("dictionary", "is neither a local folder nor a package such as npm://dictionary-en/4.0.0");
        if (asks && parameters.Chat is null) yield return new("chat", "is missing; grammar needs an endpoint or recorded answers");
        foreach (var error in parameters.Chat?.Check("chat") ?? []) yield return error;
    }

    /// <inheritdoc/>
    public override async Task RunAsync(SanitiseParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var rewrite = new DatasetRewrite(context, DatasetReader.Open(context.Input("data").PathOf), parameters.Splits);
            var speller = parameters.Steps.Contains(SanitiseStep.SpellCheck)
                ? new Speller(await DictionaryAsync(parameters.Dictionary!, parameters.DictionaryName, context, cancellation))
                : null;
            using var chat = parameters.Steps.Contains(SanitiseStep.Grammar) ? new ChatRewriter(parameters.Chat!, CorrectGrammar, context, environment ?? (_ => null)) : null;
            var run = new Run(parameters, rewrite, speller, chat, context);
            var steps = parameters.Steps.Select(Word).ToArray();
            var provenance = new JsonObject { ["stage"] = Name, ["steps"] = new JsonArray([.. steps.Select(step => (JsonNode)step)]), ["chat"] = chat?.Describe() };
            var rewrites = steps.Length == 0 ? null : $"sanitise: {string.Join(", ", steps)}";
            await rewrite.RunAsync((split, rows) => run.RewriteAsync(split, rows, cancellation), rewrites, provenance, cancellation);
            chat?.Save();
            if (speller is null) return;
            context.Log($"spell-check: {speller.Replaced} words replaced, {speller.Unknown} unknown ones without a near one left as they are");
            context.Metrics["wordsReplaced"] = speller.Replaced;
            context.Metrics["wordsUnknown"] = speller.Unknown;
        }
        catch (Exception error) when (error is CorpusException or InjectionException)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static string Word(SanitiseStep step) => JsonNamingPolicy.KebabCaseLower.ConvertName(step.ToString());

    private async Task<AffixDictionary> DictionaryAsync(SourcePath source, string? name, StageContext context, CancellationToken cancellation)
    {
        var folder = source.LocalPath;
        if (folder is null)
        {
            // npm's tar files have everything in a folder of this name.
            var fetched = Path.Combine(context.ScratchFolder, "npm");
            await NpmPackage.Parse(source.Text)!.FetchAsync(environment?.Invoke("npm_config_registry") ?? NpmPackage.Registry, fetched, cancellation);
            folder = Path.Combine(fetched, "package");
        }

        if (!Directory.Exists(folder)) throw new StageException($"dictionary: '{source}' is no folder; give the one that holds the .aff and the .dic file");
        var names = Directory.GetFiles(folder, "*.aff").Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(one => File.Exists(Path.Combine(folder, one + ".dic"))).Order(StringComparer.Ordinal).ToArray();
        var there = names.Length == 0 ? "none" : string.Join(", ", names);
        if (name is null && names.Length != 1) throw new StageException($"dictionary: '{source}' has {names.Length} pairs of .aff and .dic "
            + $"({there}); name one with dictionary-name");
        if (name is not null && !names.Contains(name)) throw new StageException($"dictionary-name: '{source}' has no '{name}'; there are: {there}");
        var stem = Path.Combine(folder, name ?? names[0]);
        var dictionary = AffixDictionary.Read(stem + ".aff", stem + ".dic");
        context.Log($"dictionary {Path.GetFileName(stem)}: {dictionary.Count} words");
        return dictionary;
    }

    /// <summary>The steps of one stage, split by split.</summary>
    private sealed class Run(SanitiseParameters parameters, DatasetRewrite rewrite, Speller? speller, ChatRewriter? chat, StageContext context)
    {
        private readonly HtmlText _html = new();
        private long _asked, _refused;

        public async Task<RewrittenTexts> RewriteAsync(SplitInfo split, IReadOnlyList<Row> rows, CancellationToken cancellation)
        {
            var texts = rows.Select(row => row.Text).ToArray();
            var same = new Dictionary<int, int>();
            foreach (var step in parameters.Steps)
            {
                if (step == SanitiseStep.Deduplicate)
                {
                    if (parameters.DeduplicateSplits.Contains(split.Name)) same = Repeated(texts);
                    continue;
                }

                if (step == SanitiseStep.Grammar) texts = await CorrectAsync(split, rows, texts, cancellation);
                else
                {
                    var change = Change(step);
                    for (var i = 0; i < texts.Length; i++)
                    {
                        if (i % 1000 == 0)
                        {
                            cancellation.ThrowIfCancellationRequested();
                            context.Progress(new(i, texts.Length, "rows", $"{split.Name}: {Word(step)}"));
                        }

                        texts[i] = change(texts[i]);
                    }
                }
            }

            return new(texts, same.ToDictionary(pair => pair.Key, pair => KeyValuePair.Create("same-as", (JsonNode?)rows[pair.Value].Id)));
        }

        private Func<string, string> Change(SanitiseStep step) => step switch
        {
            SanitiseStep.HtmlStrip => _html.Strip,
            SanitiseStep.DateStrip => TextPatterns.WithoutDates,
            SanitiseStep.NumberStrip => TextPatterns.WithoutNumbers,
            SanitiseStep.UrlStrip => TextPatterns.WithoutUrls,
            SanitiseStep.SpellCheck => speller!.Correct,
            SanitiseStep.LowerCase => text => text.ToLowerInvariant(),
            SanitiseStep.CollapseWhitespace => text => string.Join(' ', PythonText.Split(text)),
            _ => throw new InvalidOperationException($"there is no step {step}"),
        };

        private static Dictionary<int, int> Repeated(string[] texts)
        {
            var first = new Dictionary<string, int>(StringComparer.Ordinal);
            var same = new Dictionary<int, int>();
            for (var i = 0; i < texts.Length; i++)
                if (!first.TryAdd(texts[i], i)) same[i] = first[texts[i]];
            return same;
        }

        private async Task<string[]> CorrectAsync(SplitInfo split, IReadOnlyList<Row> rows, string[] texts, CancellationToken cancellation)
        {
            var answers = await chat!.AnswersAsync(split.Name, rows, texts, cancellation);
            for (var i = 0; i < texts.Length; i++)
            {
                _asked++;
                if (answers[i].Length >= Shortest * texts[i].Length && answers[i].Length <= Longest * texts[i].Length) continue;
                answers[i] = texts[i];
                _refused++;
            }

            rewrite.Measures.Add("corrections_refused", NamedMeasure.Of(
                "fraction", string.Create(CultureInfo.InvariantCulture, $"share of rows whose correction is shorter than {Shortest} or "
                    + $"longer than {Longest} times the text and was thrown away: they stay as they were"),
                Reading.Share(_refused, _asked)));
            return answers;
        }
    }
}
