using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ssti.Nets.Optimizers;
using Ssti.Nets.Safetensors;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training;

/// <summary>
/// The state of a training in one file of a scratch folder: masters, moments, updates done and the log so far. Written beside its place and renamed:
/// a kill leaves the one before. It carries a digest of itself and of the training it belongs to, and nothing of it is taken over before both are checked.
/// </summary>
/// <remarks>
/// Neither data order nor dropouts need state of their own: both are functions of seed and update. Of a training on a GPU the state is
/// copied, and hashed and written beside the updates that follow: the GPU does not wait for a disk. What keeps it from being written is
/// thrown by the next call.
/// </remarks>
/// <param name="folder">Where the file is; null for no checkpoints.</param>
/// <param name="training">All that the updates depend on, as text: another training's checkpoint has another one.</param>
/// <param name="trained">What is saved.</param>
/// <param name="tell">Told when a checkpoint is gone on from, or cannot be.</param>
internal sealed class Checkpoint(string? folder, string training, IReadOnlyList<(ParameterBank Bank, Optimizer Optimizer)> trained, Action<string>? tell) : IDisposable
{
    /// <summary>The file's name.</summary>
    public const string FileName = "checkpoint.safetensors";

    private const string StepKey = "step", LogKey = "log", TrainingKey = "training", DigestKey = "sha256", ValidationKey = "validation", BestPart = "best";

    private readonly string? _path = folder is null ? null : Path.Combine(folder, FileName);
    private Task _writing = Task.CompletedTask;

    /// <summary>What was seen of rows that are not trained on, and the best state so far; null where nothing looks at any.</summary>
    public Validation? Validation { get; init; }

    /// <summary>
    /// Whether it is written beside what follows; null: where the training is on a GPU. On the CPU a stage has no thread to spare.
    /// </summary>
    public bool? Beside { get; init; }

    /// <summary>Saves, when there is a folder to save in.</summary>
    /// <exception cref="IOException">This one, or the one before, cannot be written.</exception>
    public void Save(int step, StepLog log)
    {
        if (_path is null) return;
        Settle();
        var metadata = new Dictionary<string, string>
        {
            [StepKey] = step.ToString(CultureInfo.InvariantCulture), [LogKey] = log.Lines(), [TrainingKey] = training,
        };
        if (Validation is not null) metadata[ValidationKey] = Validation.Lines();
        var state = State();
        if (!(Beside ?? state.Values.Any(tensor => tensor.device_type == DeviceType.CUDA)))
        {
            Write(metadata, state);
            return;
        }

        var copies = state.ToDictionary(pair => pair.Key, pair => CopyOf(pair.Value));
        _writing = Task.Run(() =>
        {
            try
            {
                Write(metadata, copies);
            }
            finally
            {
                foreach (var copy in copies.Values) copy.Dispose();
            }
        });
    }

    /// <summary>Waits until what was saved last is on the disk.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Settle() => _writing.GetAwaiter().GetResult();

    /// <summary>
    /// Waits for what is being written, so that nothing is written any more once the training is over; what keeps it from that is
    /// nobody's any more.
    /// </summary>
    public void Dispose() =>
        _writing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait();

    /// <summary>
    /// Takes over what an earlier attempt saved; returns the updates done, 0 without a checkpoint. A damaged one is deleted, and training starts anew.
    /// </summary>
    /// <exception cref="TrainingException">It is whole, and of another training.</exception>
    public int Restore(StepLog log)
    {
        if (_path is null || !File.Exists(_path)) return 0;
        using var saved = Read(out var damage);
        if (saved is null)
        {
            tell?.Invoke($"the checkpoint is damaged ({damage}): starting from update 0");
            File.Delete(_path);
            return 0;
        }

        if (saved.Metadata[TrainingKey] != training)
            throw new TrainingException($"the checkpoint '{_path}' is of a training with other settings or rows; delete it, or give this training a folder of its own");
        var step = int.Parse(saved.Metadata[StepKey], CultureInfo.InvariantCulture);
        for (var i = 0; i < trained.Count; i++)
        {
            trained[i].Bank.Load(Part(saved.Tensors, $"{i}"));
            trained[i].Optimizer.Load(Part(saved.Tensors, $"{i}"), step);
        }

        Validation?.Restore(saved.Metadata[ValidationKey], Part(saved.Tensors, BestPart));
        log.Restore(saved.Metadata[LogKey]);
        tell?.Invoke($"going on from update {step}, where an earlier attempt left a checkpoint");
        return step;
    }

    private void Write(Dictionary<string, string> metadata, IReadOnlyDictionary<string, Tensor> state)
    {
        metadata[DigestKey] = DigestOf(metadata, state);
        SafetensorsFile.Write(_path!, state, metadata);
    }

    // Of no scope: the next update's ends before it is written.
    private static Tensor CopyOf(Tensor tensor)
    {
        using var _ = no_grad();
        return tensor.detach().to(CPU, copy: true).DetachFromDisposeScope();
    }

    // Null when any byte of it is not as it was written.
    private SafetensorsFile? Read(out string damage)
    {
        SafetensorsFile? file = null;
        try
        {
            file = SafetensorsFile.Read(_path!);
            damage = "its digest does not fit its content";
            if (file.Metadata.TryGetValue(DigestKey, out var digest) && digest == DigestOf(file.Metadata, file.Tensors)) return file;
        }
        catch (Exception e) when (e is SafetensorsException or EndOfStreamException)
        {
            damage = e.Message;
        }

        file?.Dispose();
        return null;
    }

    private static string DigestOf(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, value) in metadata.Where(pair => pair.Key != DigestKey).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{key}\0{value}\0"));
        foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{string.Join(',', tensor.shape)}\0"));
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private Dictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>();
        for (var i = 0; i < trained.Count; i++)
        {
            foreach (var (name, tensor) in trained[i].Bank.State().Concat(trained[i].Optimizer.State())) state.Add($"{i}.{name}", tensor);
        }

        foreach (var (name, tensor) in Validation?.Best ?? new Dictionary<string, Tensor>()) state.Add($"{BestPart}.{name}", tensor);

        return state;
    }

    private static Dictionary<string, Tensor> Part(IReadOnlyDictionary<string, Tensor> all, string part) =>
        all.Where(pair => pair.Key.StartsWith($"{part}.", StringComparison.Ordinal)).ToDictionary(pair => pair.Key[(pair.Key.IndexOf('.') + 1)..], pair => pair.Value);
}
