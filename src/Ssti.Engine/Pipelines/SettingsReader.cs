using System.ComponentModel;
using System.Globalization;
using Ssti.Engine.Parameters;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>What <c>compute:</c> takes, at the top and in a stage.</summary>
internal sealed record ComputeBlock
{
    internal enum DeviceName
    {
        Auto,
        Cpu,
        Cuda,
    }

    internal enum DtypeName
    {
        Fp32,
        Bf16,
    }

    [Description("auto (CUDA where there is a usable card, else the CPU), cpu or cuda")]
    public DeviceName? Device { get; init; }

    [Description("compute threads of a stage on the CPU; part of the key, because it changes the bytes of a trained model")]
    public int? Threads { get; init; }

    [Description("precision of the frozen base and of activations")]
    public DtypeName? Dtype { get; init; }

    [Description("whether fp32 products on CUDA may use TF32")]
    public bool? Tf32 { get; init; }
}

/// <summary>What <c>resources:</c> of a stage takes.</summary>
internal sealed record ResourcesBlock
{
    [Description("GPUs the stage takes of those that run together; on CUDA one unless said otherwise")]
    public int? Gpu { get; init; }

    [Description("memory the stage takes of what --memory allows, such as 8GB or 512MB")]
    public string? Memory { get; init; }
}

/// <summary>Reads what is around a stage's parameters: seeds, compute settings, and how it is to be run.</summary>
internal sealed class SettingsReader(DiagnosticBag diagnostics)
{
    private readonly ParameterBinder _binder = new(diagnostics);

    /// <summary>A <c>compute:</c> block over what holds around it; null when it is wrong.</summary>
    public ComputeRequest? Compute(YamlNode? node, ComputeRequest around)
    {
        if (node is null or YamlScalar { IsNull: true }) return around;
        if (node is not YamlMapping mapping)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Where,
                $"'compute' must be a mapping, not {node.Described}", "such as 'compute: { device: cpu, threads: 2 }'");
            return null;
        }

        if (_binder.BindBlock(typeof(ComputeBlock), mapping) is not ComputeBlock block) return null;
        if (block.Threads is < 1 or > 1024)
        {
            diagnostics.Error(DiagnosticCodes.BadValue, mapping["threads"]!.Where, $"'threads' cannot be {block.Threads}", "it is from 1 to 1024");
            return null;
        }

        return new ComputeRequest
        {
            Device = block.Device is { } device ? RecordShape.Kebab(device.ToString()) : around.Device,
            Threads = block.Threads ?? around.Threads,
            Dtype = block.Dtype is { } dtype ? RecordShape.Kebab(dtype.ToString()) : around.Dtype,
            Tf32 = block.Tf32 ?? around.Tf32,
        };
    }

    /// <summary>A <c>seed:</c>; null when it is wrong.</summary>
    public long? Seed(YamlNode node)
    {
        if (node is YamlScalar { Type: ScalarType.Integer, Integer: >= 0 } scalar) return scalar.Integer;
        diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'seed' must be an integer from 0 up, not {node.Described}");
        return null;
    }

    /// <summary>A stage's <c>retries</c>, <c>timeout</c> and <c>resources</c>; null when any is wrong.</summary>
    public StagePolicy? Policy(YamlMapping stage, Templates templates)
    {
        var policy = new StagePolicy();
        var good = true;
        if (Given(stage, "retries", templates) is { } retries)
        {
            if (retries is YamlScalar { Type: ScalarType.Integer, Integer: >= 0 and <= 100 } times) policy = policy with { Retries = (int)times.Integer };
            else good = Wrong(retries, "'retries' must be an integer from 0 to 100");
        }

        if (Given(stage, "timeout", templates) is { } timeout)
        {
            if (timeout is YamlScalar text && Span(text.Text) is { } span) policy = policy with { Timeout = span };
            else good = Wrong(timeout, "'timeout' must be a time such as 90s, 15m or 2h");
        }

        if (Given(stage, "resources", templates) is { } resources)
        {
            if (resources is not YamlMapping mapping) good = Wrong(resources, "'resources' must be a mapping such as { gpu: 1, memory: 8GB }");
            else if (_binder.BindBlock(typeof(ResourcesBlock), mapping) is not ResourcesBlock block) good = false;
            else if (block.Gpu is < 0 or > 64) good = Wrong(mapping["gpu"]!, "'gpu' must be an integer from 0 to 64");
            else if (block.Memory is { } memory && Bytes(memory) is null) good = Wrong(mapping["memory"]!, "'memory' must be a size such as 8GB or 512MB");
            else policy = policy with { Gpus = block.Gpu, Memory = block.Memory is { } size ? Bytes(size) : null };
        }

        return good ? policy : null;
    }

    /// <summary>Bytes of a size such as <c>8GB</c> (powers of 1024), or null.</summary>
    public static long? Bytes(string text)
    {
        var number = text.TrimEnd('B', 'b', 'i');
        var unit = number.Length == 0 ? 0 : char.ToUpperInvariant(number[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        if (unit > 0) number = number[..^1];
        return double.TryParse(number.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value > 0 && value < 1e6
            ? (long)(value * (1L << unit)) : null;
    }

    private static YamlNode? Given(YamlMapping stage, string key, Templates templates) =>
        stage[key] is { } node && templates.Resolve(node, null) is var resolved and not YamlScalar { IsNull: true } ? resolved : null;

    private static TimeSpan? Span(string text)
    {
        if (text.Length < 2) return null;
        var unit = text[^1] switch { 's' => 1.0, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        return unit > 0 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value > 0 && value * unit < 1e7
            ? TimeSpan.FromSeconds(value * unit) : null;
    }

    private bool Wrong(YamlNode node, string message)
    {
        diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"{message}, not {node.Described}");
        return false;
    }
}
