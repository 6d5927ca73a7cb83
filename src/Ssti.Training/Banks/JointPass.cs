using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using static TorchSharp.torch;

namespace Ssti.Training.Banks;

/// <summary>One pass of several trainings' rows: the base's products of all of them at once, adapters, heads, losses and gradients each training's own.</summary>
internal static class JointPass
{
    /// <summary>Losses and gradients in the order of the trainings, of no dispose scope.</summary>
    public static IReadOnlyList<PassResult> Of(IReadOnlyList<BankCell> cells)
    {
        using var scope = NewDisposeScope();
        var trunk = cells[0].Trunk;
        var adapters = new LoraBank([.. cells.Select(cell => (cell.Adapter.Begin(trunk.Dtype), cell.Rows))]);
        var dropouts = cells[0].Dropouts ? new DropoutBank([.. cells.Select(cell => (cell.Random, cell.Rows))]) : null;
        var (ids, mask) = (cat([.. cells.Select(cell => cell.Batch.Ids)], 0), cat([.. cells.Select(cell => cell.Batch.Mask)], 0));
        var hidden = trunk.Forward(ids, mask, new ForwardPass(dropouts, adapters)).split([.. cells.Select(cell => (long)cell.Rows)]);
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
}
