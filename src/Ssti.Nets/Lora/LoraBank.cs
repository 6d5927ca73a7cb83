using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Lora;

/// <summary>
/// Several adapters of one trunk in one pass, each with some of its rows: the frozen products are made of all rows at once, what an adapter adds of its own rows.
/// </summary>
/// <remarks>
/// A product of matrices with an adapter is made apart for each, with the shapes it has alone, and so to the same bytes. Batched products (bmm over ranks padded
/// with zeros) give others: on the CPU none of many shapes that were tried came out the same.
/// </remarks>
public sealed class LoraBank : ILinearAdapters
{
    private static readonly IReadOnlyDictionary<string, Tensor> Nothing = new Dictionary<string, Tensor>();

    private readonly IReadOnlyList<(LoraStep Step, int Rows)> _adapters;
    private readonly long _rows;

    /// <summary>Some adapters of one trunk.</summary>
    /// <param name="adapters">Their matrices and how many rows of the pass each has, in the order of the rows.</param>
    public LoraBank(IReadOnlyList<(LoraStep Step, int Rows)> adapters) => (_adapters, _rows) = (adapters, adapters.Sum(adapter => (long)adapter.Rows));

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Replaced => Nothing;

    /// <summary>Whether two adapters can be in one pass: LoRA of the same linears with the same dropout, and nothing trained whole. Ranks, scales and values may differ.</summary>
    public static bool Fit(LoraAdapter one, LoraAdapter other) =>
        Fits(one) && Fits(other) && one.Config.Dropout.Equals(other.Config.Dropout) && one.Targets.SequenceEqual(other.Targets);

    /// <inheritdoc/>
    public bool Has(string linear) => _adapters[0].Step.Has(linear);

    /// <inheritdoc/>
    public Tensor Apply(string linear, Tensor input, Tensor weight, Tensor? bias, IDropouts? dropout)
    {
        var dropped = dropout?.Dropout(input, _adapters[0].Step.Dropout) ?? input;
        var length = input.shape[0] / _rows;
        long[] parts = [.. _adapters.Select(adapter => adapter.Rows * length)];
        var (frozen, seen) = (functional.linear(input, weight, bias).split(parts), dropped.split(parts));
        return cat([.. _adapters.Select((adapter, i) => adapter.Step.Added(linear, frozen[i], seen[i]))], 0);
    }

    private static bool Fits(LoraAdapter adapter) => !adapter.Config.UseDora && adapter.Whole.Count == 0;
}
