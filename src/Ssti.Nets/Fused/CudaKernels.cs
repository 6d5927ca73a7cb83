using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Ssti.Nets.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>The kernels of <c>kernels.cu</c>, compiled for a GPU and a width of hidden states when they are first asked for. bf16 alone.</summary>
internal sealed class CudaKernels : EncoderKernels
{
    private const int RowThreads = 16;
    private const int Eight = 8;

    private static readonly ConcurrentDictionary<(int Gpu, int Hidden), Lazy<CudaKernels>> All = new();

    private readonly CudaModule _module;
    private readonly CublasLt _products;
    private readonly int _gpu, _width;

    private CudaKernels(CudaModule module, CublasLt products, int gpu, int hidden) =>
        (_module, _products, _gpu, _width) = (module, products, gpu, hidden / Eight);

    /// <summary>The kernels for a device; null where there are none: on the CPU, on cards without bf16, and on systems other than Linux.</summary>
    /// <exception cref="LibTorchException">They cannot be compiled.</exception>
    public static CudaKernels? For(Device device, int hidden)
    {
        if (device.type != DeviceType.CUDA || !OperatingSystem.IsLinux()) return null;
        var gpu = CudaDriver.All()[Math.Max(0, device.index)];
        if (gpu.Major < 8) return null;
        return All.GetOrAdd((gpu.Number, hidden), static (key, gpu) => new(() => Make(gpu, key.Hidden)), gpu).Value;
    }

    /// <summary>Has done, by any thread, what is done once: the first product, and the script of attention.</summary>
    public void Warm()
    {
        CudaDriver.Use(_gpu);
        FlashAttention.Compile();
        using var scope = NewDisposeScope();
        var square = zeros(Eight * Eight, Eight * Eight, ScalarType.BFloat16, new Device(DeviceType.CUDA, _gpu));
        Multiply(square, false, square, true, empty_like(square), null, 1, false);
    }

    /// <inheritdoc/>
    public override void Embed(Tensor ids, EmbeddingTables tables, Tensor output, Drop drop) => Rows("embed", output, new EmbedArguments
    {
        Ids = Data(ids), Words = Data(tables.Words), Types = Data(tables.Types), Positions = Data(tables.Positions),
        Weight = Data(tables.Norm.Weight), Bias = Data(tables.Norm.Bias), Output = Data(output),
        Drop = drop, Rows = (uint)output.shape[0], Length = (uint)ids.shape[1], Step = Step(output), Epsilon = (float)tables.Norm.Epsilon,
    });

    /// <inheritdoc/>
    public override void NormForward(Tensor input, Tensor residual, NormTensors norm, Tensor? sum, Tensor output, Tensor? dropped, Drop drop, Drop next) =>
        Rows("norm_forward", output, new NormForwardArguments
        {
            Input = Data(input), Residual = Data(residual), Weight = Data(norm.Weight), Bias = Data(norm.Bias), Sum = Data(sum), Output = Data(output), Dropped = Data(dropped),
            Drop = drop, Next = next, Rows = (uint)output.shape[0], ResidualStep = Step(residual), OutputStep = Step(output), Epsilon = (float)norm.Epsilon,
        });

    /// <inheritdoc/>
    public override void NormBackward(
        Tensor main, Tensor? dropped, Tensor? residual, Tensor? ragged, TokenBatch batch, Tensor sum, NormTensors norm, Tensor result, Tensor? input, Drop drop, Drop next) =>
        Rows("norm_backward", result, new NormBackwardArguments
        {
            Main = Data(main), Dropped = Data(dropped), Residual = Data(residual), Ragged = Data(ragged), Sum = Data(sum), Weight = Data(norm.Weight),
            Starts = Data(batch.Starts), Result = Data(result), Input = Data(input),
            Drop = drop, Next = next, Rows = (uint)result.shape[0], MainStep = Step(main), Length = (uint)batch.Length, Epsilon = (float)norm.Epsilon,
        });

    /// <inheritdoc/>
    public override void ActivationForward(Tensor input, bool gelu, Tensor output, Tensor? dropped, Drop next) =>
        Launch("activation_forward", input.numel() / Eight, new ActivationForwardArguments
        {
            Input = Data(input), Output = Data(output), Dropped = Data(dropped),
            Next = next, Count = (uint)(input.numel() / Eight), Width = (uint)(input.shape[1] / Eight), OutputStep = Step(output), Gelu = gelu ? 1u : 0,
        });

    /// <inheritdoc/>
    public override void ActivationBackward(Tensor main, Tensor? dropped, Tensor? input, Tensor result, Drop next) =>
        Launch("activation_backward", result.numel() / Eight, new ActivationBackwardArguments
        {
            Main = Data(main), Dropped = Data(dropped), Input = Data(input), Result = Data(result),
            Next = next, Count = (uint)(result.numel() / Eight), Width = (uint)(result.shape[1] / Eight), MainStep = Step(main),
        });

    /// <inheritdoc/>
    public override void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor output, Tensor? bias, double scale, bool accumulate) =>
        _products.Multiply(a, transposeA, b, transposeB, output, bias, scale, accumulate);

    /// <inheritdoc/>
    public override void Gather(Tensor input, TokenBatch batch, Tensor output) => Launch("gather", input.shape[0] * _width, new GatherArguments
    {
        Input = Data(input), Starts = Data(batch.Starts), Output = Data(output), Rows = (uint)input.shape[0], Length = (uint)batch.Length, Step = Step(input),
    });

    /// <inheritdoc/>
    public override Attended Attend(Tensor query, Tensor key, Tensor value, TokenBatch batch, AttentionDrop drop) => FlashAttention.Forward(query, key, value, batch, drop);

    /// <inheritdoc/>
    public override (Tensor Query, Tensor Key, Tensor Value) AttendBackward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, Attended attended, TokenBatch batch, AttentionDrop drop) =>
        FlashAttention.Backward(gradient, query, key, value, attended, batch, drop);

    private static CudaKernels Make(CudaDriver gpu, int hidden)
    {
        using var stream = typeof(CudaKernels).Assembly.GetManifestResourceStream("Ssti.Nets.Fused.kernels.cu")!;
        using var reader = new StreamReader(stream);
        CudaDriver.Use(gpu.Number);
        var module = CudaModule.Compile(reader.ReadToEnd(), $"sm_{gpu.Major}{gpu.Minor}", ("WIDTH", hidden / Eight));
        return new CudaKernels(module, new CublasLt(new Device(DeviceType.CUDA, gpu.Number)), gpu.Number, hidden);
    }

    private void Rows<T>(string kernel, Tensor of, in T arguments)
        where T : unmanaged => Launch(kernel, of.shape[0] * RowThreads, arguments);

    private void Launch<T>(string kernel, long threads, in T arguments)
        where T : unmanaged => _module.Launch(kernel, threads, arguments);

    private static nint Data(Tensor? tensor) => tensor is null ? 0 : LibTorch.DataOf(tensor);

    // Of a row, in eights.
    private static uint Step(Tensor tensor) => (uint)(tensor.stride(0) / Eight);

    // As kernels.cu has them.
    [StructLayout(LayoutKind.Sequential)]
    private struct EmbedArguments
    {
        public nint Ids, Words, Types, Positions, Weight, Bias, Output;
        public Drop Drop;
        public uint Rows, Length, Step;
        public float Epsilon;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NormForwardArguments
    {
        public nint Input, Residual, Weight, Bias, Sum, Output, Dropped;
        public Drop Drop, Next;
        public uint Rows, ResidualStep, OutputStep;
        public float Epsilon;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NormBackwardArguments
    {
        public nint Main, Dropped, Residual, Ragged, Sum, Weight, Starts, Result, Input;
        public Drop Drop, Next;
        public uint Rows, MainStep, Length;
        public float Epsilon;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ActivationForwardArguments
    {
        public nint Input, Output, Dropped;
        public Drop Next;
        public uint Count, Width, OutputStep, Gelu;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ActivationBackwardArguments
    {
        public nint Main, Dropped, Input, Result;
        public Drop Next;
        public uint Count, Width, MainStep, Unused;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct GatherArguments
    {
        public nint Input, Starts, Output;
        public uint Rows, Length, Step, Unused;
    }
}
