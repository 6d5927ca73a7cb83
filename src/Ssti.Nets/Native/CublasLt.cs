using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Native;

/// <summary>
/// Matrix products in bf16 by the cuBLASLt that libtorch brings, with the algorithm looked up once for a shape. libtorch looks it up for every product, which keeps
/// the processor longer than the product keeps the GPU (155 µs for a linear with a bias).
/// </summary>
/// <remarks>
/// The algorithm follows from the shape alone, never from what was computed before, so that results repeat. Sizes beyond <see cref="Coarse"/> are rounded up
/// to it for the look-up: ragged batches have another count of tokens every time. Several products at once are computed by the algorithm of one of them, so that
/// each is what it is alone.
/// </remarks>
internal sealed unsafe class CublasLt
{
    private const int Coarse = 4096;
    private const uint WorkspaceBytes = 32 << 20;
    private const int Compute32F = 68, Real32F = 0, Real16BF = 14;
    private const int TransposeA = 3, TransposeB = 4, Epilogue = 7, BiasPointer = 8, BiasEpilogue = 4;
    private const int MaxWorkspace = 1, FirstAlignment = 5, Alignment = 16;
    private const int HalfBytes = 2;
    private const int BatchCount = 5, BatchStep = 6, NotSupported = 15;

    private readonly nint _library, _handle;
    private readonly Tensor _workspace;
    private readonly Dictionary<Shape, Plan> _plans = [];
    private readonly delegate* unmanaged<nint, nint, float*, nint, nint, nint, nint, float*, nint, nint, nint, nint, void*, nint, nuint, nint, int> _multiply;
    private readonly delegate* unmanaged<nint, int, void*, nuint, int> _set;
    private readonly delegate* unmanaged<nint*, int, ulong, ulong, long, int> _layout;
    private readonly delegate* unmanaged<nint, int, void*, nuint, int> _setLayout;
    private readonly delegate* unmanaged<nint, int> _free;

    /// <summary>For the GPU that is the calling thread's. It lives as long as the process.</summary>
    /// <exception cref="LibTorchException">This libtorch has none.</exception>
    public CublasLt(Device device)
    {
        _library = NativeLibrary.Load(Path.Combine(LibTorch.Loaded!.Directory!, "libtorch_cuda.so"));
        nint handle;
        Require(((delegate* unmanaged<nint*, int>)Export("cublasLtCreate"))(&handle), "begin");
        _handle = handle;
        _workspace = torch.empty((long)WorkspaceBytes, ScalarType.Byte, device).DetachFromDisposeScope();
        _multiply = (delegate* unmanaged<nint, nint, float*, nint, nint, nint, nint, float*, nint, nint, nint, nint, void*, nint, nuint, nint, int>)Export("cublasLtMatmul");
        _set = (delegate* unmanaged<nint, int, void*, nuint, int>)Export("cublasLtMatmulDescSetAttribute");
        _layout = (delegate* unmanaged<nint*, int, ulong, ulong, long, int>)Export("cublasLtMatrixLayoutCreate");
        _setLayout = (delegate* unmanaged<nint, int, void*, nuint, int>)Export("cublasLtMatrixLayoutSetAttribute");
        _free = (delegate* unmanaged<nint, int>)Export("cublasLtMatrixLayoutDestroy");
    }

    /// <inheritdoc cref="Fused.EncoderKernels.Multiply"/>
    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor output, Tensor? bias, double scale, bool accumulate)
    {
        var outputSize = output.shape;
        var inner = transposeA ? a.shape[^2] : a.shape[^1];
        var shape = new Shape(
            outputSize[^2], outputSize[^1], inner, RowStep(a), RowStep(b), RowStep(output), transposeA, transposeB, bias is not null, accumulate);
        var product = new Product(shape, LibTorch.DataOf(a), LibTorch.DataOf(b), LibTorch.DataOf(output), bias is null ? 0 : LibTorch.DataOf(bias), (float)scale);
        if (outputSize.Length == 2)
        {
            lock (_plans) Launch(product, PlanOf(shape));
            return;
        }

        var (count, stepA, stepB, step) = ((int)outputSize[0], BatchStepOf(a), BatchStepOf(b), BatchStepOf(output));
        lock (_plans)
        {
            var plan = PlanOf(shape);
            if (plan.TakesBatches && Launch(product, plan, new Batch(count, stepA, stepB, step))) return;
            plan.TakesBatches = false;
            for (var i = 0L; i < count; i++)
                Launch(product with { A = At(product.A, i * stepA), B = At(product.B, i * stepB), Output = At(product.Output, i * step) }, plan);
        }
    }

    // cuBLAS counts by columns: a row-major product A·B is its Bᵀ·Aᵀ, with the operands as they lie in memory. False where the algorithm is not for batches.
    private bool Launch(in Product product, Plan plan, Batch? batch = null)
    {
        var shape = product.Shape;
        nint first = 0, second = 0, result = 0;
        try
        {
            first = Layout(shape.TransposeB ? shape.Inner : shape.Columns, shape.TransposeB ? shape.Columns : shape.Inner, shape.StepB, batch?.Count, batch?.StepB);
            second = Layout(shape.TransposeA ? shape.Rows : shape.Inner, shape.TransposeA ? shape.Inner : shape.Rows, shape.StepA, batch?.Count, batch?.StepA);
            result = Layout(shape.Columns, shape.Rows, shape.StepOutput, batch?.Count, batch?.StepOutput);
            if (shape.HasBias)
            {
                var bias = product.Bias;
                Require(_set(plan.Operation, BiasPointer, &bias, (nuint)sizeof(nint)), "take a bias");
            }

            var (alpha, beta) = (product.Scale, shape.Accumulates ? 1f : 0f);
            fixed (ulong* algorithm = plan.Algorithm)
            {
                var error = _multiply(
                    _handle, plan.Operation, &alpha, product.B, first, product.A, second, &beta, product.Output, result, product.Output, result, algorithm,
                    LibTorch.DataOf(_workspace), WorkspaceBytes, 0);
                if (batch is not null && error == NotSupported) return false;
                Require(error, $"multiply {shape}");
                return true;
            }
        }
        finally
        {
            foreach (var layout in new[] { first, second, result }.Where(layout => layout != 0)) _free(layout);
        }
    }

    private static long RowStep(Tensor tensor) => tensor.stride((int)tensor.dim() - 2);

    // The same matrix for all where there is one.
    private static long BatchStepOf(Tensor tensor) => tensor.dim() == 3 ? tensor.stride(0) : 0;

    private static nint At(nint data, long offset) => (nint)(data + (offset * HalfBytes));

    private Plan PlanOf(Shape shape)
    {
        var rounded = shape with { Rows = Rounded(shape.Rows), Columns = Rounded(shape.Columns), Inner = Rounded(shape.Inner) };
        if (_plans.TryGetValue(rounded, out var known)) return known;
        nint operation, preference;
        Require(((delegate* unmanaged<nint*, int, int, int>)Export("cublasLtMatmulDescCreate"))(&operation, Compute32F, Real32F), "describe a product");
        Set(operation, TransposeA, shape.TransposeB ? 1 : 0);
        Set(operation, TransposeB, shape.TransposeA ? 1 : 0);
        if (shape.HasBias) Set(operation, Epilogue, BiasEpilogue);
        var first = Layout(shape.TransposeB ? rounded.Inner : rounded.Columns, shape.TransposeB ? rounded.Columns : rounded.Inner, shape.StepB);
        var second = Layout(shape.TransposeA ? rounded.Rows : rounded.Inner, shape.TransposeA ? rounded.Inner : rounded.Rows, shape.StepA);
        var result = Layout(rounded.Columns, rounded.Rows, shape.StepOutput);
        Require(((delegate* unmanaged<nint*, int>)Export("cublasLtMatmulPreferenceCreate"))(&preference), "prefer");
        var prefer = (delegate* unmanaged<nint, int, void*, nuint, int>)Export("cublasLtMatmulPreferenceSetAttribute");
        var bytes = (nuint)WorkspaceBytes;
        Require(prefer(preference, MaxWorkspace, &bytes, (nuint)sizeof(nuint)), "limit its workspace");
        // Operands may be columns of wider tensors: nothing is promised but what vector loads want.
        var alignment = (uint)Alignment;
        for (var operand = 0; operand < 4; operand++) Require(prefer(preference, FirstAlignment + operand, &alignment, sizeof(uint)), "align operands");
        Found found;
        int count;
        var search = (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, Found*, int*, int>)Export("cublasLtMatmulAlgoGetHeuristic");
        var error = search(_handle, operation, first, second, result, result, preference, 1, &found, &count);
        foreach (var layout in new[] { first, second, result }) _free(layout);
        ((delegate* unmanaged<nint, int>)Export("cublasLtMatmulPreferenceDestroy"))(preference);
        if (error != 0 || count == 0) throw new LibTorchException($"cuBLASLt knows no way to multiply {shape} (error {error})");
        var plan = new Plan(operation, new ReadOnlySpan<ulong>(found.Algorithm, 8).ToArray());
        return _plans[rounded] = plan;
    }

    private static long Rounded(long size) => size <= Coarse ? size : (size + Coarse - 1) / Coarse * Coarse;

    private void Set(nint operation, int attribute, int value) => Require(_set(operation, attribute, &value, sizeof(int)), "describe a product");

    private nint Layout(long rows, long columns, long step, int? count = null, long? batchStep = null)
    {
        nint layout;
        Require(_layout(&layout, Real16BF, (ulong)rows, (ulong)columns, step), "describe a matrix");
        if (count is not { } many || batchStep is not { } apart) return layout;
        Require(_setLayout(layout, BatchCount, &many, sizeof(int)), "describe several matrices");
        Require(_setLayout(layout, BatchStep, &apart, sizeof(long)), "describe several matrices");
        return layout;
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var export) ? export
        : throw new LibTorchException($"this libtorch brings no cuBLASLt ('{name}' is missing): install the whole of PyTorch, or set 'dtype: fp32' under 'compute'");

    private static void Require(int error, string what)
    {
        if (error != 0) throw new LibTorchException($"cuBLASLt cannot {what}: error {error}");
    }

    private sealed record Plan(nint Operation, ulong[] Algorithm)
    {
        public bool TakesBatches { get; set; } = true;
    }

    // Where the matrices of a product lie.
    private readonly record struct Product(Shape Shape, nint A, nint B, nint Output, nint Bias, float Scale);

    // Several products, and how far apart their matrices are.
    private readonly record struct Batch(int Count, long StepA, long StepB, long StepOutput);

    private readonly record struct Shape(
        long Rows, long Columns, long Inner, long StepA, long StepB, long StepOutput, bool TransposeA, bool TransposeB, bool HasBias, bool Accumulates);

    // cublasLtMatmulHeuristicResult_t
    private struct Found
    {
        public fixed ulong Algorithm[8];
        public nuint Workspace;
        public int State;
        public float Waves;
        public fixed int Reserved[4];
    }
}
