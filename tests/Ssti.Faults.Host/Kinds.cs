using System.Security.Cryptography;
using System.Text;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Faults.Host;

internal sealed record MakeParameters
{
    public int Size { get; init; } = 2000;

    public int Files { get; init; } = 3;

    public int Milliseconds { get; init; } = 5;
}

/// <summary>Writes files of bytes that depend on the seed only.</summary>
internal sealed class MakeKind(string executions) : StageKind<MakeParameters>
{
    public override string Name => "make";

    public override int Version => 1;

    public override string Summary => "Makes files.";

    public override async Task RunAsync(MakeParameters parameters, StageContext context, CancellationToken cancellation)
    {
        Executions.Note(executions, context.StageName);
        for (var i = 0; i < parameters.Files; i++)
        {
            var bytes = new byte[parameters.Size];
            new Random((int)(context.Seed & 0xffff) + i).NextBytes(bytes);
            await File.WriteAllBytesAsync(context.Output($"part/{i}.bin"), bytes, cancellation);
            await Task.Delay(parameters.Milliseconds, cancellation);
        }
    }
}

internal sealed record MixParameters
{
    public int Milliseconds { get; init; } = 5;
}

/// <summary>Writes the digests of all its inputs' files.</summary>
internal sealed class MixKind(string executions) : StageKind<MixParameters>
{
    public override string Name => "mix";

    public override int Version => 1;

    public override string Summary => "Mixes inputs.";

    public override IReadOnlyList<StageInput> Inputs => [new("parts", "any files", Many: true)];

    public override async Task RunAsync(MixParameters parameters, StageContext context, CancellationToken cancellation)
    {
        Executions.Note(executions, context.StageName);
        var text = new StringBuilder();
        foreach (var part in context.Inputs["parts"])
            foreach (var file in part.Files)
            {
                text.Append(file).Append(' ')
                    .AppendLine(Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(part.PathOf(file), cancellation))));
            }

        await File.WriteAllTextAsync(context.Output("half.txt"), text.ToString()[..(text.Length / 2)], cancellation);
        await Task.Delay(parameters.Milliseconds, cancellation);
        await File.WriteAllTextAsync(context.Output("mix.txt"), text.ToString(), cancellation);
        context.Log("mixed");
    }
}

internal static class Executions
{
    public static void Note(string path, string stage)
    {
        // Alone, since .NET appends at the length that the file had when it was opened.
        while (true)
        {
            try
            {
                using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, 0);
                file.Write(Encoding.UTF8.GetBytes(stage + "\n"));
                return;
            }
            catch (IOException)
            {
                Thread.Sleep(1);
            }
        }
    }
}

internal sealed class CpuProbe : IComputeProbe
{
    public ComputeSettings Resolve(ComputeRequest request) => new("cpu", "cpu-avx2", request.Threads, request.Dtype, request.Tf32, "none");
}

internal sealed class FixedClock(DateTimeOffset at) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => at;
}

internal sealed class Printer : IRunListener
{
    public void On(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.StageFinished { Result: var result }: Console.WriteLine($"stage {result.Instance.Name} {result.State} {result.Tree} {result.Error}"); break;
            case RunEvent.Warned { Message: var message }: Console.WriteLine($"warning {message}"); break;
            case RunEvent.RunFinished { Result: var run }: Console.WriteLine($"outcome {run.Outcome}"); break;
        }
    }
}
