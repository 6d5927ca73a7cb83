using System.Globalization;
using Ssti.Cli.Display;
using Ssti.Stages;

namespace Ssti.Cli.Fit;

/// <summary>Counts predictions, and says what is doubtful about them.</summary>
internal sealed class PredictionReport
{
    /// <summary>Why a row has no label.</summary>
    public const string NoText = "the text is empty, or has nothing that the model reads";

    private RowClassifier? _classifier;
    private long[] _counts = [];
    private long _rows, _cut, _empty;

    /// <summary>Starts to count.</summary>
    public void Begin(RowClassifier classifier) => (_classifier, _counts) = (classifier, new long[classifier.Labels.Count]);

    /// <summary>Counts some rows.</summary>
    public void Count(IReadOnlyList<Prediction> predictions)
    {
        foreach (var prediction in predictions)
        {
            _rows++;
            if (prediction.Cut) _cut++;
            if (prediction.Label is { } label) _counts[label]++;
            else _empty++;
        }
    }

    /// <summary>What makes the predictions doubtful.</summary>
    public IEnumerable<string> Warnings()
    {
        if (_rows == 0) yield return "there are no rows, and so no predictions";
        if (_empty > 0) yield return $"{_empty} of {Amounts.Of(_rows, "text")} {(_empty == 1 ? "has" : "have")} no prediction: {NoText}";
        if (_cut > 0)
            yield return $"{_cut} of {Amounts.Of(_rows, "text")} {(_cut == 1 ? "was" : "were")} cut to the {_classifier!.MaxLength} tokens that "
                + "the model was trained on: what stands behind is not read";
    }

    /// <summary><c>300 rows: account 73, billing 64</c>.</summary>
    public string Summary(string? file)
    {
        var labels = _classifier?.Labels ?? [];
        var classes = string.Join(", ", labels.Zip(_counts).OrderByDescending(pair => pair.Second).Take(12)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.First} {pair.Second}"))) + (labels.Count > 12 ? ", …" : "");
        return $"{Amounts.Of(_rows, "row")}{(_rows > 0 ? $": {classes}" : "")}{(file is null ? "" : $"; {file}")}";
    }
}
