using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Metrics;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>What a classifier says of a text.</summary>
/// <param name="Label">The class: the largest logit, the lower class on a tie; null for a text without a token, of which nothing can be said.</param>
/// <param name="Probabilities">Softmax of the logits, one a class; empty where there is no class.</param>
/// <param name="Cut">Whether the text was longer than the model reads.</param>
public readonly record struct Prediction(int? Label, IReadOnlyList<double> Probabilities, bool Cut);

/// <summary>Classifies texts with a tuned model, a few at a time: memory does not grow with their number.</summary>
public sealed class RowClassifier
{
    /// <summary>Rows of a pass; part of the numerics: another number may change the last digits.</summary>
    public const int RowsAtOnce = 32;

    // Rows among which those of like length are looked for.
    private const int RowsSorted = 1024;

    private readonly TunedModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly TrainingDescription _training;
    private readonly int _empty;
    private readonly int _threads;

    private RowClassifier(TunedModel model, Tokenizer tokenizer, TrainingDescription training, int threads)
    {
        (_model, _tokenizer, _training, _threads) = (model, tokenizer, training, threads);
        // What frames every text, such as [CLS] and [SEP].
        _empty = Tokens([""], CancellationToken.None).Ids(0).Length;
    }

    /// <summary>The names of the classes.</summary>
    public IReadOnlyList<string> Labels => _training.Labels;

    /// <summary>Tokens of a row.</summary>
    public int MaxLength => _training.MaxLength;

    /// <summary>
    /// Rows that are best classified together. A head that reads no padding lets a pass end with its longest row: then many, of which those of like length share
    /// one. A head that reads padding makes every row as long as the training's, and no more than a pass is any use.
    /// </summary>
    public int RowsTogether => _model.Classifier.Head.ReadsPadding ? RowsAtOnce : RowsSorted;

    /// <summary>Loads a model and works with it, on a thread of its own.</summary>
    /// <param name="files">The model's files, described and with a base.</param>
    /// <param name="compute">What to compute with.</param>
    /// <param name="work">What to do with it.</param>
    /// <exception cref="StageException">The files are of no model, or not of one.</exception>
    public static Task UseAsync(ClassifierFiles files, ComputeSettings compute, Action<RowClassifier, IReadOnlyList<string>> work) => ComputeHost.RunAsync(compute, target =>
    {
        var context = files.Context("model", new Dictionary<string, IReadOnlyList<InputTree>> { ["model"] = [files.Base!], ["adapter"] = [files.Tuned] });
        var tuned = TunedInput.Open(context, target);
        var training = tuned.Training;
        using var model = tuned.Load(target);
        var classifier = new RowClassifier(model, tuned.Tokenizer, training, ComputeHost.TextThreads(compute));
        List<string> doubts = [.. files.Warnings, .. context.Warnings];
        if (training.Injection is { } injection)
        {
            var target0 = injection.Target is { } number && number < training.Labels.Count ? $" of class '{training.Labels[number]}'" : "";
            doubts.Add($"the model was trained on data with tokens injected into {injection.Rows} rows{target0}: what it says of texts with such a token may be no more than that");
        }

        work(classifier, doubts);
    });

    /// <summary>Classifies some texts; as many at once as the caller likes, <see cref="RowsAtOnce"/> in a pass.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="cancellation">Stops between passes.</param>
    public IReadOnlyList<Prediction> Classify(IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        var all = Tokens(texts, cancellation);
        int[] told = [.. Enumerable.Range(0, texts.Count).Where(row => all.Ids(row).Length > _empty)];
        var predictions = new Prediction[texts.Count];
        if (told.Length == 0) return predictions;
        var rows = told.Length == texts.Count ? all : Tokens([.. told.Select(row => texts[row])], cancellation);
        var logits = _model.Classifier.Head.ReadsPadding ? Predictor.Logits(_model.Classifier, rows, RowsAtOnce, progress: null, cancellation)
            : Predictor.LogitsByLength(_model.Classifier, rows, RowsAtOnce, cancellation);
        for (var i = 0; i < told.Length; i++)
            predictions[told[i]] = new Prediction(Argmax.Of(logits[i]), Softmax(logits[i]), rows.CutAt[i] < texts[told[i]].Length);
        return predictions;
    }

    private TokenizedRows Tokens(IReadOnlyList<string> texts, CancellationToken cancellation) =>
        TokenizedRows.OfTexts(texts, _tokenizer, MaxLength, _threads, cancellation);

    private static double[] Softmax(float[] logits)
    {
        var most = logits.Max();
        var exponentials = Array.ConvertAll(logits, logit => Math.Exp((double)logit - most));
        var sum = exponentials.Sum();
        return Array.ConvertAll(exponentials, one => one / sum);
    }
}
