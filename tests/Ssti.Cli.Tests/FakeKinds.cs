using Ssti.Engine.Stages;

namespace Ssti.Cli.Tests;

/// <summary>Kinds that do in no time what real ones do: write files, read inputs, report, fail, and wait.</summary>
public sealed record WriteParameters
{
    public string Text { get; init; } = "hello";

    public string File { get; init; } = "text.txt";

    public bool Fail { get; init; }

    public bool Crash { get; init; }
}

public sealed class WriteStage : StageKind<WriteParameters>
{
    public override string Name => "write";

    public override int Version => 1;

    public override string Summary => "Writes a text.";

    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "anything", Required: false, Many: true)];

    public override IEnumerable<ParameterError> Validate(WriteParameters parameters)
    {
        if (parameters.Text.Length == 0) yield return new("text", "is empty; give some");
    }

    public override async Task RunAsync(WriteParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Log($"writing {parameters.Text}");
        context.Progress(new(1, 1, "files"));
        if (parameters.Fail) throw new StageException("the text cannot be written: fail is true; set it to false");
        if (parameters.Crash) throw new InvalidOperationException("a bug");
        context.Metrics["letters"] = parameters.Text.Length;
        await File.WriteAllTextAsync(context.Output(parameters.File), parameters.Text, cancellation);
    }
}

public sealed record WaitParameters;

public sealed class WaitStage : StageKind<WaitParameters>
{
    public override string Name => "wait";

    public override int Version => 1;

    public override string Summary => "Waits until it is interrupted.";

    public override Task RunAsync(WaitParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Progress(new(0, null, "nothing"));
        return Task.Delay(Timeout.Infinite, cancellation);
    }
}

/// <summary>A machine that is the same everywhere.</summary>
internal sealed class FakeProbe : IComputeProbe
{
    public ComputeSettings Resolve(ComputeRequest request) => request.Device == "cuda"
        ? throw new StageException("device cuda: there is no GPU")
        : new("cpu", "cpu-avx2", request.Threads, request.Dtype, false, "2.10.0");
}
