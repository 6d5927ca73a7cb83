using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>Takes gradients of a bank's masters, and moves the masters.</summary>
public interface IOptimizer : IDisposable
{
    /// <summary>One update.</summary>
    /// <param name="gradients">A gradient for each master, in their order.</param>
    /// <param name="learningRate">This step's learning rate.</param>
    void Step(IReadOnlyList<Tensor> gradients, double learningRate);

    /// <summary>The tensors a checkpoint must hold besides the masters; the tensors themselves, not copies.</summary>
    IReadOnlyDictionary<string, Tensor> State();

    /// <summary>Takes a checkpoint over.</summary>
    /// <param name="state">Tensors by the names of <see cref="State"/>.</param>
    /// <param name="steps">Updates done before the checkpoint.</param>
    void Load(IReadOnlyDictionary<string, Tensor> state, int steps);
}
