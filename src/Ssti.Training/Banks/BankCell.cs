using System.Runtime.ExceptionServices;
using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Banks;

/// <summary>What a pass gives a training.</summary>
/// <param name="Loss">A part of the update's mean loss; no gradient flows through it any more.</param>
/// <param name="Gradients">For each master, in their order.</param>
/// <param name="IsJoint">Whether it was made together with others.</param>
internal sealed record PassResult(Tensor Loss, Tensor[] Gradients, bool IsJoint = false) : IDisposable
{
    /// <summary>The tensors, taken out of the scope they were made in: another thread's scope takes them over.</summary>
    public PassResult Detached()
    {
        foreach (var tensor in Gradients.Prepend(Loss)) tensor.DetachFromDisposeScope();
        return this;
    }

    public void Dispose()
    {
        foreach (var tensor in Gradients.Prepend(Loss)) tensor.Dispose();
    }
}

/// <summary>One training's part in a pass of a bank.</summary>
internal sealed record BankCell
{
    private PassResult? _result;
    private ExceptionDispatchInfo? _error;

    /// <summary>The update, from 0.</summary>
    public required int Update { get; init; }

    /// <summary>The base; the same for all.</summary>
    public required Trunk Trunk { get; init; }

    /// <summary>The adapter.</summary>
    public required LoraAdapter Adapter { get; init; }

    /// <summary>The rows.</summary>
    public required PassRows Rows { get; init; }

    /// <summary>The training's stream, at the place where this pass draws.</summary>
    public required RandomStream Random { get; init; }

    /// <summary>Whether dropouts are on.</summary>
    public required bool Dropouts { get; init; }

    /// <summary>What gradients are wanted of.</summary>
    public required IReadOnlyList<Tensor> Masters { get; init; }

    /// <summary>The loss of the hidden states of these rows.</summary>
    public required Func<Tensor, Tensor> LossOf { get; init; }

    /// <summary>The pass as the training makes it alone.</summary>
    public required Func<PassResult> Compute { get; init; }

    /// <summary>Told what the bank does.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>What is trained besides the adapter.</summary>
    public IEnumerable<Tensor> OtherMasters => Masters.Skip(Adapter.Parameters.Masters.Count);

    /// <summary>Whether it has its result, or its error.</summary>
    public bool IsDone => _result is not null || _error is not null;

    /// <summary>Whether its rows and another's may go through the model together.</summary>
    public bool Fits(BankCell other) => ReferenceEquals(Trunk, other.Trunk) && Dropouts == other.Dropouts && Rows.Length == other.Rows.Length && (Rows, other.Rows) switch
    {
        (PlainRows, PlainRows) => !(Dropouts && Random.OwnsDevice) && LoraBank.Fit(Adapter, other.Adapter),
        (FusedRows, FusedRows) => Rows.Count == other.Rows.Count && FusedEncoder.Fit(Adapter, other.Adapter) && Random.Site == other.Random.Site,
        _ => false,
    };

    /// <summary>Makes the pass alone; what goes wrong is thrown where the result is taken.</summary>
    public void Alone()
    {
        try
        {
            _result = Compute();
        }
        catch (Exception e)
        {
            _error = ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Takes its part of a joined pass over.</summary>
    public void Give(PassResult result) => _result = result;

    /// <summary>Whether it has got, bit for bit, what a joined pass gave.</summary>
    public bool HasGot(PassResult joint) => _result is { } alone && Same(alone.Loss, joint.Loss) && alone.Gradients.Zip(joint.Gradients).All(pair => Same(pair.First, pair.Second));

    /// <summary>The result.</summary>
    public PassResult Take()
    {
        _error?.Throw();
        return _result!;
    }

    private static bool Same(Tensor one, Tensor other)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return one.cpu().contiguous().bytes.SequenceEqual(other.cpu().contiguous().bytes);
    }
}
