using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>Takes gradients of a bank's masters, and moves the masters.</summary>
/// <param name="bank">The masters; not owned.</param>
public abstract class Optimizer(ParameterBank bank) : IDisposable
{
    private readonly Dictionary<string, Tensor> _state = [];

    /// <summary>What is moved.</summary>
    protected ParameterBank Bank { get; } = bank;

    /// <summary>Updates done.</summary>
    protected int Steps { get; private set; }

    /// <summary>One update.</summary>
    /// <param name="gradients">A gradient for each master, in their order.</param>
    /// <param name="learningRate">This step's learning rate.</param>
    public void Step(IReadOnlyList<Tensor> gradients, double learningRate)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Steps++;
        Move(gradients, learningRate);
    }

    /// <summary>The tensors a checkpoint must hold besides the masters; the tensors themselves, not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> State() => _state;

    /// <summary>Takes a checkpoint over.</summary>
    /// <param name="state">Tensors by the names of <see cref="State"/>.</param>
    /// <param name="steps">Updates done before the checkpoint.</param>
    /// <exception cref="Models.ModelException">The checkpoint lacks a tensor, or has another shape.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state, int steps)
    {
        StateTensors.Restore(_state, state);
        Steps = steps;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _state.Values) tensor.Dispose();
    }

    /// <summary>Adds a tensor of zeros to the state.</summary>
    protected void Keep(string name, long[] shape, Device device) => _state.Add(name, zeros(shape, device: device).DetachFromDisposeScope());

    /// <summary>A tensor of the state.</summary>
    protected Tensor Kept(string name) => _state[name];

    /// <summary>What <see cref="Step"/> does, in a dispose scope of its own and without gradients.</summary>
    private protected abstract void Move(IReadOnlyList<Tensor> gradients, double learningRate);
}
