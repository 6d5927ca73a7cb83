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
                var target = TrainingTarget.Parse(compute.Device, compute.Dtype);
                // Another stage may be at work on another GPU: what is seeded or made without a device's name must not be that one's.
                if (target.Device is { type: DeviceType.CUDA, index: >= 0 and var gpu }) CudaDriver.Use(gpu);
                using var precision = target.Device.type == DeviceType.CUDA ? Precision.Enter(compute.Tf32) : null;
                // Whatever tensors a stage leaves behind end with it.
                using var scope = torch.NewDisposeScope();
                work(target);
            }
            catch (Exception e) when (e is TrainingException or ModelException or SafetensorsException or LibTorchException or Corpus.CorpusException or InvalidDataException)
            {
                throw new StageException(e.Message, e);
            }
            catch (Exception e) when (OnGpu(compute) && e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase))
            {
                throw new StageException(
                    "the GPU's memory is full: have fewer stages at work on it at once (--per-gpu, --together), or fewer rows in a pass "
                    + "(micro-batch-size, batch-size)",
                    e);
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// How many rows a stage tokenises at once: on the CPU as many as it has threads; where it computes on a GPU, which waits for them, more. No byte depends on it.
    /// </summary>
    public static int TextThreads(ComputeSettings compute) =>
        compute.Device.StartsWith("cuda", StringComparison.Ordinal) ? Math.Clamp(Environment.ProcessorCount / 2, compute.Threads, Math.Max(compute.Threads, 8)) : compute.Threads;

    /// <summary>Work that needs no tensors, beside what comes next where a GPU computes.</summary>
    public static Beside<T> Beside<T>(ComputeSettings compute, Func<T> work) => new(work, now: OnGpu(compute));

    private static bool OnGpu(ComputeSettings compute) => compute.Device.StartsWith("cuda", StringComparison.Ordinal);

    /// <summary>Whether TF32 may be used is one setting for all GPUs of the process: stages that want it otherwise wait until those at work are done.</summary>
    private sealed class Precision : IDisposable
    {
        private static readonly object Gate = new();
        private static bool _tf32;
        private static int _users;

        public static Precision Enter(bool tf32)
        {
            lock (Gate)
            {
                while (_users > 0 && _tf32 != tf32) Monitor.Wait(Gate);
                _users++;
                torch.backends.cuda.matmul.allow_tf32 = _tf32 = tf32;
            }

            return new Precision();
        }

        public void Dispose()
        {
            lock (Gate)
            {
                _users--;
                Monitor.PulseAll(Gate);
            }
        }
    }
}
