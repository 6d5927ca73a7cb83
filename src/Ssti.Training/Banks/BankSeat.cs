using Ssti.Nets.Models;

namespace Ssti.Training.Banks;

/// <summary>A training's place in a bank, while it computes or waits for the others. Disposed of, it is left.</summary>
public sealed class BankSeat : IDisposable
{
    private readonly TrainingBank _bank;
    private readonly Action<string>? _log;
    private bool _left;

    internal BankSeat(TrainingBank bank, int number, Action<string>? log, CancellationToken cancellation) =>
        (_bank, Number, _log, Cancellation) = (bank, number, log, cancellation);

    /// <summary>How many passes it has made together with others.</summary>
    public long JoinedPasses { get; private set; }

    internal int Number { get; }

    internal CancellationToken Cancellation { get; }

    /// <summary>The base that all trainings of the bank have in common: built once, and let go of with the last <see cref="Release"/>.</summary>
    internal Trunk Share(Func<Trunk> build) => _bank.Share(build);

    internal void Release() => _bank.Release();

    /// <summary>A pass, with the others where that changes no byte; its tensors belong to no scope.</summary>
    internal PassResult Pass(BankCell cell)
    {
        var result = _bank.Pass(this, cell with { Log = _log });
        if (result.IsJoint) JoinedPasses++;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_left) return;
        _left = true;
        _bank.Exit(Number);
    }
}
