using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Defenses.Adapters;
using Ssti.Defenses.Cures;
using Ssti.Engine.Stages;
using Ssti.Injection.Randomness;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Training;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>
/// The method <c>strip</c> of <c>defend</c>: test rows whose predictions stay sure under disturbance are rejected. It measures what an evaluation does, of the rows that
/// are let through: a rejected row is no right answer, and no successful attack.
/// </summary>
internal sealed class StripDefence(DefendParameters parameters, StageContext context)
{
    private const string Rejecting = "; a row that is rejected is neither a right answer nor a successful attack";

    /// <summary>Runs it.</summary>
    public void Run(TrainingTarget target, CancellationToken cancellation)
    {
        var tuned = TunedInput.Open(context, target);
        var (training, tokenizer) = (tuned.Training, tuned.Tokenizer);
        TestSet Read(string name) =>
            TestSet.Read(name, context.Input(name), parameters.Split, training, tokenizer, context.Compute, cancellation);
        var (clean, triggered) = (Read(TestSet.Clean), Read(TestSet.Triggered));
        var places = triggered.RowsIn(clean);
        var known = DatasetReader.Open(context.Input("clean").PathOf);
        if (InjectionNote.Of(known.Info.Provenance, parameters.ModelSplit) is not null)
            throw new StageException(
                $"input 'clean': its '{parameters.ModelSplit}' split carries tokens, and the bound is set by clean rows; give the dataset as it "
                + "was before it was injected");
        Row[] learnt = [.. TokenBattery.Spread(known.Read(parameters.ModelSplit).Where(row => !string.IsNullOrWhiteSpace(row.Text)).ToArray(), parameters.ModelRows)];
        if (learnt.Length * parameters.FalseAlarms < 1)
            throw new StageException($"{Amount.Rows(learnt.Length)} of '{parameters.ModelSplit}' do not show which entropy {parameters.FalseAlarms} of clean rows stay below; "
                + $"{(int)Math.Ceiling(1 / parameters.FalseAlarms)} at least");
        using var model = tuned.Load(target);
        string[] pool = [.. learnt.Select(row => row.Text)];
        var strip = new StripReading(
            pool, parameters.Copies, texts => Predictor.Logits(model.Classifier, tuned.Tokenized(texts, cancellation), parameters.BatchSize, null, cancellation), context);

        var bound = Strip.Bound(strip.Entropies("clean rows", pool, [.. learnt.Select(row => row.Id)]), parameters.FalseAlarms);
        var cleanEntropies = strip.Entropies("clean test rows", clean.Texts, clean.Rows.RowIds);
        var triggeredEntropies = strip.Entropies("triggered test rows", triggered.Texts, triggered.Rows.RowIds);
        var logits = Predictor.Logits(model.Classifier, [clean.Rows, triggered.Rows], parameters.BatchSize, null, cancellation);
        int[] Accepted(double[] entropies, float[][] rows) => [.. entropies.Zip(rows, (entropy, row) => entropy < bound ? -1 : Argmax.Of(row))];
        var outcome = new Outcome(
            training, clean, triggered, places, Accepted(cleanEntropies, logits[0]), Accepted(triggeredEntropies, logits[1]),
            cleanEntropies, triggeredEntropies);
        Write(outcome, bound, tuned.Encoder.Name);
    }

    private void Write(Outcome outcome, double bound, string backbone)
    {
        foreach (var doubt in outcome.Training.Doubts.Concat(outcome.Triggered.Doubts(outcome.Clean))) context.Warn(doubt);
        var lines = new StringBuilder();
        foreach (var (name, set, predictions, entropies) in outcome.Sets)
            for (var i = 0; i < predictions.Length; i++)
            {
                lines.Append(new JsonObject
                {
                    ["set"] = name, ["id"] = set.Rows.RowIds[i], ["label"] = set.Rows.Labels[i], ["entropy"] = entropies[i],
                    ["prediction"] = predictions[i] < 0 ? null : predictions[i],
                }.ToJsonString()).Append('\n');
            }

        File.WriteAllText(context.Output("rows.jsonl"), lines.ToString(), new UTF8Encoding(false));
        var about = new JsonObject
        {
            ["method"] = "strip", ["backbone"] = backbone, ["dataset"] = outcome.Clean.Data, ["split"] = parameters.Split, ["bound"] = bound,
            ["labels"] = new JsonArray([.. outcome.Training.Labels.Select(label => (JsonNode)label)]), ["target"] = outcome.Training.Injection?.Target,
            ["notes"] = new JsonArray([.. context.Warnings
                .Append("strip: a row that is rejected counts as no right answer and as no successful attack").Select(note => (JsonNode)note)]),
        };
        File.WriteAllText(context.Output(MeasureSet.FileName), MeasureSet.ToJson(outcome.Measures(Rejecting), about), new UTF8Encoding(false));
        context.Log(string.Create(CultureInfo.InvariantCulture, $"strip: rows below {bound:0.000} bits are rejected"));
    }

    /// <summary>Predictions and entropies of both test sets; −1 for a rejected row.</summary>
    private sealed record Outcome(
        TrainingDescription Training, TestSet Clean, TestSet Triggered, int[] Places, int[] CleanPredictions, int[] Predictions, double[] CleanEntropies, double[] Entropies)
    {
        public IEnumerable<(string Name, TestSet Set, int[] Predictions, double[] Entropies)> Sets =>
            [(TestSet.Clean, Clean, CleanPredictions, CleanEntropies), (TestSet.Triggered, Triggered, Predictions, Entropies)];

        public Dictionary<string, NamedMeasure> Measures(string rejecting)
        {
            int[] whole = [.. Enumerable.Range(0, Predictions.Length).Where(Triggered.Triggers!.IsWhole)];
            const string none = "no row of another class carries a whole token within max-length";
            return new()
            {
                [EvaluationMeasures.CleanAccuracy.Name] = Whole(EvaluationMeasures.CleanAccuracy.Definition + rejecting,
                    Reading.Share(Enumerable.Range(0, CleanPredictions.Length).Count(row => CleanPredictions[row] == Clean.Rows.Labels[row]), CleanPredictions.Length)),
                [EvaluationMeasures.AttackSuccess.Name] = ByClass(EvaluationMeasures.AttackSuccess.Definition + rejecting, target => Share(target, row => Predictions[row])),
                [EvaluationMeasures.CleanTargetRate.Name] = ByClass(
                    EvaluationMeasures.CleanTargetRate.Definition + rejecting,
                    target => Share(target, row => CleanPredictions[Places[row]])),
                ["strip_false_rejections"] = Whole(
                    "share of the clean test rows that are rejected",
                    Reading.Share(CleanPredictions.Count(row => row < 0), CleanPredictions.Length)),
                ["strip_detection"] = Whole("of the triggered test rows in which the model reads a whole token, the share that is rejected",
                    Reading.Share(whole.Count(row => Predictions[row] < 0), whole.Length, none)),
                ["strip_auc"] = Whole("share of pairs of a row in which the model reads a whole token and a clean row in which the former has the lower entropy "
                    + $"(AUC with {RankAuc.IntervalDefinition})",
                    RankAuc.Of([.. whole.Select(row => -Entropies[row])], [.. CleanEntropies.Select(entropy => -entropy)]) is { } area
                        ? new(area.Value, whole.Length + CleanEntropies.Length, area.Interval95) : Reading.None(none, 0)),
            };

            Reading Share(int target, Func<int, int> prediction)
            {
                int[] others = [.. whole.Where(row => Triggered.Rows.Labels[row] != target)];
                return Reading.Share(others.Count(row => prediction(row) == target), others.Length, none);
            }

            NamedMeasure Whole(string definition, Reading reading) => NamedMeasure.Of("fraction", definition, reading);

            NamedMeasure ByClass(string definition, Func<int, Reading> of) => new("fraction", definition, null, [.. Enumerable.Range(0, Training.Labels.Count).Select(of)]);
        }
    }
}
