using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Banks;

/// <summary>One pass of several trainings' rows: the base's products of all of them at once, adapters, heads, losses and gradients each training's own.</summary>
internal static class JointPass
{
    /// <summary>Losses and gradients in the order of the trainings, of no dispose scope.</summary>
    /// <param name="cells">The trainings, which fit each other.</param>
    /// <param name="encoders">Where written-out encoders for several are.</param>
    public static IReadOnlyList<PassResult> Of(IReadOnlyList<BankCell> cells, JointEncoders encoders) =>
        cells[0].Rows is FusedRows ? Fused(cells, encoders.Of(cells)) : Plain(cells);

    private static IReadOnlyList<PassResult> Plain(IReadOnlyList<BankCell> cells)
    {
        using var scope = NewDisposeScope();
        var trunk = cells[0].Trunk;
        var batches = cells.Select(cell => ((PlainRows)cell.Rows).Batch).ToArray();
        var adapters = new LoraBank([.. cells.Select(cell => (cell.Adapter.Begin(trunk.Dtype), (int)cell.Rows.Count))]);
        var dropouts = cells[0].Dropouts ? new DropoutBank([.. cells.Select(cell => (cell.Random, (int)cell.Rows.Count))]) : null;
        var (ids, mask) = (cat([.. batches.Select(batch => batch.Ids)], 0), cat([.. batches.Select(batch => batch.Mask)], 0));
        var hidden = trunk.Forward(ids, mask, new ForwardPass(dropouts, adapters)).split([.. cells.Select(cell => cell.Rows.Count)]);
        Tensor[] losses = [.. cells.Select((cell, i) => cell.LossOf(hidden[i]))];
        var gradients = autograd.grad(losses, [.. cells.SelectMany(cell => cell.Masters)]);
        var taken = 0;
        return [.. cells.Select((cell, i) =>
        {
            var own = gradients.Skip(taken).Take(cell.Masters.Count).ToArray();
            taken += cell.Masters.Count;
            return new PassResult(losses[i].detach(), own, IsJoint: true).Detached();
        })];
    }

    // The heads by autograd, the encoder by hand, as in a training alone.
    private static IReadOnlyList<PassResult> Fused(IReadOnlyList<BankCell> cells, FusedEncoder encoder)
    {
        using var scope = NewDisposeScope();
        using var tape = new EncoderTape();
        var batch = TokenBatch.Join([.. cells.Select(cell => ((FusedRows)cell.Rows).Tokens)]);
        RandomStream[] streams = [.. cells.Where(cell => cell.Dropouts).Select(cell => cell.Random)];
        var hidden = encoder.Forward(batch, tape, streams);
        var back = empty_like(hidden);
        var (losses, others) = (new Tensor[cells.Count], new Tensor[cells.Count][]);
        for (var (i, row) = (0, 0L); i < cells.Count; row += cells[i++].Rows.Count)
        {
            var count = cells[i].Rows.Count;
            var own = hidden.narrow(0, row, count).detach().requires_grad_(true);
            losses[i] = cells[i].LossOf(own);
            var gradients = autograd.grad([losses[i]], [own, .. cells[i].OtherMasters]);
            back.narrow(0, row, count).copy_(gradients[0]);
            others[i] = [.. gradients.Skip(1)];
        }

        var adapters = encoder.Backward(tape, back);
        return [.. cells.Select((_, i) => new PassResult(losses[i].detach(), [.. adapters[i], .. others[i]], IsJoint: true).Detached())];
    }
}
