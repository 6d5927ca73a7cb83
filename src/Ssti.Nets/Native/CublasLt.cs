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
/// to it for the look-up: ragged batches have another count of tokens every time.
/// </remarks>
internal sealed unsafe class CublasLt
{
    private const int Coarse = 4096;
    private const uint WorkspaceBytes = 32 << 20;
    private const int Compute32F = 68, Real32F = 0, Real16BF = 14;
    private const int TransposeA = 3, TransposeB = 4, Epilogue = 7, BiasPointer = 8, BiasEpilogue = 4;
    private const int MaxWorkspace = 1, FirstAlignment = 5, Alignment = 16;

    private readonly nint _library, _handle;
    private readonly Tensor _workspace;
    private readonly Dictionary<Shape, Plan> _plans = [];
    private readonly delegate* unmanaged<nint, nint, float*, nint, nint, nint, nint, float*, nint, nint, nint, nint, void*, nint, nuint, nint, int> _multiply;
    private readonly delegate* unmanaged<nint, int, void*, nuint, int> _set;
    private readonly delegate* unmanaged<nint*, int, ulong, ulong, long, int> _layout;
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
        _free = (delegate* unmanaged<nint, int>)Export("cublasLtMatrixLayoutDestroy");
    }

    /// <inheritdoc cref="Fused.EncoderKernels.Multiply"/>
    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor output, Tensor? bias, double scale, bool accumulate)
    {
        var (outputSize, inner) = (output.shape, transposeA ? a.shape[0] : a.shape[1]);
        var shape = new Shape(outputSize[0], outputSize[1], inner, a.stride(0), b.stride(0), output.stride(0), transposeA, transposeB, bias is not null, accumulate);
        // cuBLAS counts by columns: a row-major product A·B is its Bᵀ·Aᵀ, with the operands as they lie in memory.
        nint first = 0, second = 0, result = 0;
        try
        {
            first = Layout(transposeB ? inner : shape.Columns, transposeB ? shape.Columns : inner, shape.StepB);
            second = Layout(transposeA ? shape.Rows : inner, transposeA ? inner : shape.Rows, shape.StepA);
            result = Layout(shape.Columns, shape.Rows, shape.StepOutput);
            lock (_plans)
            {
                var plan = PlanOf(shape);
                if (bias is not null)
                {
                    var pointer = LibTorch.DataOf(bias);
                    Require(_set(plan.Operation, BiasPointer, &pointer, (nuint)sizeof(nint)), "take a bias");
                }

                var (alpha, beta) = ((float)scale, accumulate ? 1f : 0f);
                fixed (ulong* algorithm = plan.Algorithm)
                {
                    var to = LibTorch.DataOf(output);
                    Require(
                        _multiply(
                            _handle, plan.Operation, &alpha, LibTorch.DataOf(b), first, LibTorch.DataOf(a), second, &beta, to, result, to, result, algorithm,
                            LibTorch.DataOf(_workspace), WorkspaceBytes, 0),
                        $"multiply {shape}");
                }
            }
        }
        finally
        {
            foreach (var layout in new[] { first, second, result }.Where(layout => layout != 0)) _free(layout);
        }
    }

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

    private nint Layout(long rows, long columns, long step)
    {
        nint layout;
        Require(_layout(&layout, Real16BF, (ulong)rows, (ulong)columns, step), "describe a matrix");
        return layout;
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var export) ? export
        : throw new LibTorchException($"this libtorch brings no cuBLASLt ('{name}' is missing): install the whole of PyTorch, or set 'dtype: fp32' under 'compute'");

    private static void Require(int error, string what)
    {
        if (error != 0) throw new LibTorchException($"cuBLASLt cannot {what}: error {error}");
    }

    private sealed record Plan(nint Operation, ulong[] Algorithm);

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
