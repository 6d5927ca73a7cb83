using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Nets.Tokenizers;
using Ssti.Training;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>What tokens do to a tuned model.</summary>
/// <param name="Labels">Its classes.</param>
/// <param name="Tokens">Every token, controls among them.</param>
/// <param name="Families">The families of suspects, each as one.</param>
/// <param name="Prefixes">How many rows tokens were put behind.</param>
/// <param name="Worst">The token that does the most unusual thing; null where the model answers the same whatever it reads.</param>
/// <param name="CleanEntropies">Of disturbed rows, in bits.</param>
/// <param name="SuspectEntropies">The same of the rows with <paramref name="Worst"/>.</param>
internal sealed record AdapterProbe(
    IReadOnlyList<string> Labels, IReadOnlyList<ProbedToken> Tokens, IReadOnlyList<ProbedToken> Families, int Prefixes, ProbedToken? Worst,
    IReadOnlyList<double> CleanEntropies, IReadOnlyList<double> SuspectEntropies)
{
    // Rows that words are counted in: more say no more of what any word does.
    private const int MostRows = 2000;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Probes the adapter of a stage, and writes what each token did.</summary>
    public static AdapterProbe Run(AuditAdapterParameters parameters, StageContext context, TrainingTarget target, CancellationToken cancellation)
    {
        var tuned = TunedInput.Open(context, target);
        var training = tuned.Training;
        var data = DatasetReader.Open(context.Input("data").PathOf);
        if (InjectionNote.Of(data.Info.Provenance, parameters.Split) is { } note)
            throw new StageException(
                $"input 'data': {note.Rows} rows of its '{parameters.Split}' split carry a token, and tokens are put into clean rows; give the "
                + "dataset as it was before");
        Row[] rows = [.. TokenBattery.Spread(data.Read(parameters.Split).Where(row => !string.IsNullOrWhiteSpace(row.Text)).ToArray(), MostRows)];
        var tokenizer = tuned.Tokenizer;
        using var model = tuned.Load(target);
        Row[] picked = [.. TokenBattery.Spread(rows, parameters.Prefixes)];
        if (picked.Length < parameters.Prefixes)
            context.Warn($"split '{parameters.Split}' has {Amount.Rows(picked.Length)} with a word, and {parameters.Prefixes} prefixes were asked for");
        var all = Suspects(parameters, rows, tokenizer);
        var suspects = all.Where(suspect => suspect.Pieces <= training.MaxLength / 2).ToArray();
        var left = all.Except(suspects).Where(suspect => suspect.Family != TokenBattery.Controls).ToArray();
        if (left.Length > 0)
            context.Warn($"{Amount.Of(left.Length, "token")} of more than half of the {training.MaxLength} pieces that the model was trained on "
                + $"{(left.Length == 1 ? "was" : "were")} not tried, such as '{left[0].Token}'");
        var room = training.MaxLength - tokenizer.Before.Count - tokenizer.Behind.Count - suspects.Max(suspect => suspect.Pieces);
        string[] prefixes = [.. picked.Select(row => Fitting(row.Text, room))];
        var tokens = TokenProbe.Run(
            prefixes, suspects, texts => Logits(texts, whole: true), (done, total) => context.Progress(new(done, total, "rows", "tokens in clean rows")));
        var worst = tokens.Where(token => !token.IsControl && token.Outlier is not null).MaxBy(token => token.Outlier);
        var strip = new StripReading([.. picked.Select(row => row.Text)], parameters.StripCopies, some => Logits(some, whole: false), context);
        string[] ids = [.. picked.Select(row => row.Id)];
        var clean = strip.Entropies("disturbed rows", prefixes, ids);
        var suspect = worst is null ? [] : strip.Entropies("disturbed rows", [.. prefixes.Select(prefix => $"{prefix} {worst.Suspect.Token}")], ids);
        var probe = new AdapterProbe(training.Labels, tokens, TokenProbe.Families(tokens), prefixes.Length, worst, clean, suspect);
        File.WriteAllText(context.Output(AuditAdapterStage.TokensFile), string.Concat(tokens.Select(probe.Line)), new UTF8Encoding(false));
        return probe;

        // No token may be cut off: a prefix gives way to the longest of them.
        string Fitting(string text, int pieces)
        {
            for (var words = parameters.PrefixWords; words > 0; words--)
                if (TokenBattery.Prefix(text, words) is var prefix && tokenizer.Pieces(prefix).Length <= pieces) return prefix;
            throw new StageException($"no word and token together fit into the {training.MaxLength} tokens that the model was trained on, so that it cannot be probed");
        }

        float[][] Logits(IReadOnlyList<string> asked, bool whole)
        {
            var tokenized = tuned.Tokenized(asked, cancellation);
            if (whole && tokenized.Truncated > 0)
                throw new StageException(
                    $"{Amount.Rows(tokenized.Truncated)} with a token do not fit into the {training.MaxLength} tokens that the model was trained "
                    + "on; set prefix-words lower");
            return Predictor.Logits(model.Classifier, tokenized, parameters.BatchSize, null, cancellation);
        }
    }

    private static IReadOnlyList<Suspect> Suspects(AuditAdapterParameters parameters, Row[] rows, Tokenizer tokenizer)
    {
        var controls = TokenBattery.ControlsOf([.. rows.Select(row => row.Text)], parameters.Controls);
        var own = parameters.Suspects?.LocalPath is { } file
            ? File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0).Select(line => new Suspect("given", line))
            : [];
        var known = rows.SelectMany(row => tokenizer.Encode(row.Text)).ToHashSet();
        string[] words = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => !known.Contains(id) && !tokenizer.IsSpecial(id)).Select(tokenizer.Shown)
            .Where(piece => !piece.GoesOn && piece.Text is { Length: > 1 } text && text.All(char.IsAsciiLetter)).Select(piece => piece.Text)];
        var vocabulary = parameters.Vocabulary == 0 ? [] : TokenBattery.Spread(words, parameters.Vocabulary).Select(word => new Suspect(TokenBattery.Vocabulary, word));
        return [.. TokenBattery.Published.Concat(own).Concat(vocabulary).DistinctBy(suspect => suspect.Token).Concat(controls)
            .Select(suspect => suspect with { Pieces = tokenizer.Pieces(suspect.Token).Length })];
    }

    private string Line(ProbedToken token) => new JsonObject
    {
        ["family"] = token.Suspect.Family,
        ["token"] = token.Suspect.Token,
        ["pieces"] = token.Suspect.Pieces,
        ["outlier"] = token.Outlier,
        ["classes"] = new JsonArray([.. token.Classes.Select((shift, label) => (JsonNode)new JsonObject
        {
            ["class"] = Labels[label], ["mean-shift"] = shift.Mean, ["max-over-mean"] = shift.MaxOverMean, ["mean-outlier"] = shift.MeanOutlier,
            ["context-outlier"] = shift.ContextOutlier, ["mean-bound"] = shift.MeanBound, ["context-bound"] = shift.ContextBound,
            ["others"] = shift.Others, ["turned"] = shift.Turned,
        })]),
    }.ToJsonString(Readable) + "\n";
}
