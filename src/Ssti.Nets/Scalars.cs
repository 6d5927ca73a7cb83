using System.Collections.Concurrent;
using TorchSharp;

namespace Ssti.Nets;

/// <summary>Numbers for tensor operations that the garbage collector cannot take away while libtorch reads them.</summary>
/// <remarks>
/// TorchSharp hands a number to libtorch as a pointer to a <see cref="Scalar"/>, whose finaliser frees it. Where the number is converted on the
/// spot (<c>a + b</c> does so with its factor 1, <c>a.mul_(0.5)</c> with 0.5), nothing refers to the scalar any more once its pointer has been
/// read: a collection during the call frees memory that libtorch is reading. That ends a training with "Expected false to be true" from
/// Scalar.h, or, worse, computes with another number. So every scalar here is either kept for good, or disposed of after its use
/// (<c>using var rate = value.ToScalar()</c>). A test reads the compiled code and holds it to that.
/// </remarks>
public static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> All = new();

    /// <summary>1, the factor of plain sums and differences.</summary>
    public static Scalar One { get; } = Kept(1);

    /// <summary>A constant, kept for the life of the process: for values of which there are few, not for those that change with every update.</summary>
    public static Scalar Kept(double value) => All.GetOrAdd(value, static number => number.ToScalar());
}
