using static TorchSharp.torch;

namespace Ssti.Nets;

/// <summary>Where the dropouts of a pass come from: one run's stream, or those of several runs whose rows go through a model together.</summary>
public interface IDropouts
{
    /// <summary>Whether draws are the device's own, so that kernels that draw for themselves may be used.</summary>
    bool OwnsDevice { get; }

    /// <summary>Each value zeroed with a probability and the others scaled by 1/(1−probability); the input itself when that is 0.</summary>
    Tensor Dropout(Tensor input, double probability);
}
