namespace Ssti.Reporting.Metrics;

/// <summary>The class a row is assigned to.</summary>
public static class Argmax
{
    /// <summary>The index of the largest logit; of equal ones the lowest index, as <c>numpy.argmax</c> and <c>torch.argmax</c> on the CPU give.</summary>
    /// <param name="logits">The scores of one row, one a class.</param>
    /// <exception cref="ArgumentException">No scores, or one that is not a number: such a model has no prediction.</exception>
    public static int Of(ReadOnlySpan<float> logits)
    {
        if (logits.IsEmpty) throw new ArgumentException("no logits");
        var best = 0;
        for (var index = 0; index < logits.Length; index++)
        {
            if (float.IsNaN(logits[index])) throw new ArgumentException($"logit {index} is NaN: the model diverged or its weights are damaged");
            if (logits[index] > logits[best]) best = index;
        }

        return best;
    }
}
