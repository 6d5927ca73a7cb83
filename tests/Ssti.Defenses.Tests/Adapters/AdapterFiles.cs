using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Defenses.Tests.Adapters;

/// <summary>Adapters that are made for a test, and what they add to a weight.</summary>
internal static class AdapterFiles
{
    /// <summary>libtorch is brought in before anything of TorchSharp is touched.</summary>
    [ModuleInitializer]
    internal static void Load() => LibTorch.Ensure();

    /// <summary>An adapter of some modules in PEFT's files.</summary>
    public static PeftAdapter Peft(double alpha, params (string Module, double[,] A, double[,] B)[] modules) => Peft(alpha, _ => { }, modules);

    /// <summary>The same with other settings.</summary>
    public static PeftAdapter Peft(double alpha, Action<JsonObject> settings, params (string Module, double[,] A, double[,] B)[] modules)
    {
        var config = new JsonObject
        {
            ["peft_type"] = "LORA", ["r"] = modules[0].A.GetLength(0), ["lora_alpha"] = alpha, ["lora_dropout"] = 0.0, ["bias"] = "none",
            ["target_modules"] = new JsonArray("dense"),
        };
        settings(config);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (module, a, b) in modules)
        {
            tensors[$"base_model.model.{module}.lora_A.weight"] = Of(a);
            tensors[$"base_model.model.{module}.lora_B.weight"] = Of(b);
        }

        return new PeftAdapter(config, tensors, new Dictionary<string, string>());
    }

    /// <summary>ΔW of a module, written out.</summary>
    public static double[,] Product(PeftAdapter peft, string module)
    {
        var update = LoraUpdate.Of(peft).Single(update => update.Module == module);
        using var scope = NewDisposeScope();
        var product = matmul(update.B.to(ScalarType.Float64), update.A.to(ScalarType.Float64));
        var (flat, matrix) = (product.data<double>().ToArray(), new double[update.Out, update.In]);
        for (var i = 0; i < flat.Length; i++) matrix[i / update.In, i % update.In] = update.Scaling * flat[i];
        return matrix;
    }

    /// <summary>Numbers of a seed, as from a normal distribution.</summary>
    public static double[,] Normal(int seed, int rows, int columns)
    {
        var random = new Random(seed);
        var matrix = new double[rows, columns];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++) matrix[i, j] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return matrix;
    }

    private static Tensor Of(double[,] matrix)
    {
        var flat = new float[matrix.Length];
        for (var i = 0; i < flat.Length; i++) flat[i] = (float)matrix[i / matrix.GetLength(1), i % matrix.GetLength(1)];
        return tensor(flat, matrix.GetLength(0), matrix.GetLength(1));
    }
}
