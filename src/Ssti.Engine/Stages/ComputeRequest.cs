namespace Ssti.Engine.Stages;

/// <summary>What a pipeline asks for under <c>compute:</c>, before the machine has been looked at.</summary>
public sealed record ComputeRequest
{
    /// <summary><c>auto</c> (CUDA where there is a usable card, else the CPU), <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Compute threads of a stage on the CPU. Not the machine's number of cores: it changes the bytes of a trained model.</summary>
    public int Threads { get; init; } = 2;

    /// <summary><c>fp32</c> or <c>bf16</c>.</summary>
    public string Dtype { get; init; } = "fp32";

    /// <summary>Whether fp32 products on CUDA may use TF32.</summary>
    public bool Tf32 { get; init; }
}

/// <summary>Looks at the machine, so that the engine itself never has to load a tensor library.</summary>
public interface IComputeProbe
{
    /// <summary>Resolves a request: what <c>auto</c> means here, the device's class, the version of libtorch.</summary>
    /// <exception cref="StageException">What is asked for is not here; the message says what to do.</exception>
    ComputeSettings Resolve(ComputeRequest request);

    /// <summary>The numbers of the GPUs that are alike, so that any of them gives what a key of this class promises; null when nobody here knows.</summary>
    /// <param name="deviceClass">The class, such as <c>cuda-sm90</c>.</param>
    IReadOnlyList<int>? GpusOf(string deviceClass) => null;
}
