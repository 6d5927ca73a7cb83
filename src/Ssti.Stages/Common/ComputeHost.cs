using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Training;
using TorchSharp;

namespace Ssti.Stages;

/// <summary>Brings libtorch into this process when the first stage that computes with tensors runs, and not before.</summary>
internal static class ComputeHost
{
    /// <summary>
    /// Runs work with tensors on a thread of its own, with the stage's threads, device and precision. What the rooms below refuse becomes a
    /// <see cref="StageException"/>.
    /// </summary>
    public static Task RunAsync(ComputeSettings compute, Action<TrainingTarget> work) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                // One set of options for all stages, as libtorch is loaded once; the count of threads may be another for the stage beside this one.
                LibTorch.Ensure();
                LibTorch.UseThreads(compute.Threads);
                torch.backends.cuda.matmul.allow_tf32 = compute.Tf32;
                // Whatever tensors a stage leaves behind end with it.
                using var scope = torch.NewDisposeScope();
                work(TrainingTarget.Parse(compute.Device, compute.Dtype));
            }
            catch (Exception e) when (e is TrainingException or ModelException or SafetensorsException or LibTorchException or Corpus.CorpusException or InvalidDataException)
            {
                throw new StageException(e.Message, e);
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
