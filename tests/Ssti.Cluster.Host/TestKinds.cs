using System.Globalization;
using System.Text;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

namespace Ssti.Cluster.Host;

public static class TestKinds
{
    public static IReadOnlyList<IStageKind> All(string notes, int version = 1) =>
        [new MakeKind(notes, version), new StepsKind(notes, version), new ReadKind(version), new FailKind(version)];

    /// <summary>Appends a line to the notes, with the process that wrote it.</summary>
    public static void Note(string notes, string line)
    {
        if (notes.Length == 0) return;
        // .NET appends at the length the file had when it was opened: two silos at once would write over each other.
        FileLock? alone;
        while ((alone = FileLock.TryTake(notes + ".lock")) is null) Thread.Sleep(1);
        using var held = alone;
        using var file = new FileStream(notes, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 0);
        file.Write(Encoding.UTF8.GetBytes($"{Environment.ProcessId} {line}\n"));
    }
}

/// <summary>Says that the machine computes on a CPU, and on CUDA when it is told so.</summary>
public sealed class TestProbe(bool cuda) : IComputeProbe
{
    public ComputeSettings Resolve(ComputeRequest request) => request.Device == "cuda" && !cuda
        ? throw new StageException("no GPU here")
        : request.Device == "cuda" || (request.Device == "auto" && cuda)
            ? new ComputeSettings("cuda", "cuda-test", request.Threads, request.Dtype, false, "none")
            : new ComputeSettings("cpu", "cpu-test", request.Threads, request.Dtype, false, "none");
}

public sealed record MakeParameters
{
    public string Text { get; init; } = "";

    public int Milliseconds { get; init; }

    /// <summary>A file that the stage waits for.</summary>
    public string Until { get; init; } = "";
}

/// <summary>Writes a text, and those of its inputs.</summary>
public sealed class MakeKind(string notes, int version) : StageKind<MakeParameters>
{
    public override string Name => "make";

    public override int Version => version;

    public override string Summary => "Makes a file.";

    public override IReadOnlyList<StageInput> Inputs => [new("parts", "any", Required: false, Many: true)];

    public override async Task RunAsync(MakeParameters parameters, StageContext context, CancellationToken cancellation)
    {
        TestKinds.Note(notes, $"make {context.StageName}");
        await Task.Delay(parameters.Milliseconds, cancellation);
        while (parameters.Until.Length > 0 && !File.Exists(parameters.Until)) await Task.Delay(20, cancellation);
        var text = new StringBuilder(parameters.Text).Append(' ').Append(context.Seed.ToString(CultureInfo.InvariantCulture));
        foreach (var part in context.Inputs.GetValueOrDefault("parts") ?? []) text.Append('\n').Append(await File.ReadAllTextAsync(part.PathOf("made.txt"), cancellation));
        await File.WriteAllTextAsync(context.Output("made.txt"), text.ToString(), cancellation);
        context.Metrics["length"] = text.Length;
    }
}

public sealed record StepsParameters
{
    public int Steps { get; init; } = 40;

    public int Milliseconds { get; init; } = 50;

    public int Every { get; init; } = 5;
}

/// <summary>Goes through steps as a training does, with a checkpoint every few and when it is interrupted.</summary>
public sealed class StepsKind(string notes, int version) : StageKind<StepsParameters>
{
    public override string Name => "steps";

    public override int Version => version;

    public override string Summary => "Goes through steps.";

    public override bool UsesTensors => true;

    public override async Task RunAsync(StepsParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var checkpoint = Path.Combine(context.ScratchFolder, "checkpoint");
        var state = File.Exists(checkpoint) ? await File.ReadAllLinesAsync(checkpoint, CancellationToken.None) : ["0", $"{context.Seed}"];
        var (step, sum) = (int.Parse(state[0], CultureInfo.InvariantCulture), ulong.Parse(state[1], CultureInfo.InvariantCulture));
        TestKinds.Note(notes, $"begin {context.StageName} {step} {context.Compute.Device}");
        context.Log($"begins at step {step}");
        for (; step < parameters.Steps; step++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save();
                TestKinds.Note(notes, $"interrupted {context.StageName} {step}");
                cancellation.ThrowIfCancellationRequested();
            }

            await Task.Delay(parameters.Milliseconds, CancellationToken.None);
            sum = (sum * 6364136223846793005) + (ulong)step;
            context.Progress(new StageProgress(step + 1, parameters.Steps, "steps"));
            if ((step + 1) % parameters.Every == 0)
            {
                step++;
                Save();
                step--;
            }
        }

        await File.WriteAllTextAsync(context.Output("sum.txt"), sum.ToString(CultureInfo.InvariantCulture), CancellationToken.None);
        TestKinds.Note(notes, $"end {context.StageName} {context.Compute.Device}");

        void Save()
        {
            File.WriteAllLines(Path.Combine(context.ScratchFolder, "part"), [step.ToString(CultureInfo.InvariantCulture), sum.ToString(CultureInfo.InvariantCulture)]);
            File.Move(Path.Combine(context.ScratchFolder, "part"), checkpoint, overwrite: true);
        }
    }
}

public sealed record ReadParameters
{
    public required SourcePath Source { get; init; }

    public SourcePath? Another { get; init; }
}

/// <summary>Copies sources that lie outside the store.</summary>
public sealed class ReadKind(int version) : StageKind<ReadParameters>
{
    public override string Name => "read";

    public override int Version => version;

    public override string Summary => "Reads sources.";

    public override async Task RunAsync(ReadParameters parameters, StageContext context, CancellationToken cancellation)
    {
        foreach (var (source, name) in new[] { (parameters.Source, "one"), (parameters.Another, "another") })
        {
            if (source?.LocalPath is not { } path) continue;
            var files = Directory.Exists(path) ? Directory.GetFiles(path, "*", SearchOption.AllDirectories) : [path];
            foreach (var file in files.Order(StringComparer.Ordinal))
            {
                var text = await File.ReadAllTextAsync(file, cancellation);
                if (text.Contains("bad", StringComparison.Ordinal)) throw new StageException($"{file}: line 1 is bad");
                await File.WriteAllTextAsync(context.Output($"{name}/{Path.GetFileName(file)}"), text, cancellation);
            }
        }
    }
}

public sealed record FailParameters
{
    public bool Unforeseen { get; init; }
}

/// <summary>Fails.</summary>
public sealed class FailKind(int version) : StageKind<FailParameters>
{
    public override string Name => "fail";

    public override int Version => version;

    public override string Summary => "Fails.";

    public override Task RunAsync(FailParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Log("about to fail");
        throw parameters.Unforeseen ? new InvalidOperationException("the moon is wrong") : new StageException("there is no data; give some");
    }
}
