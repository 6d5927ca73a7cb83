using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>A value of a matrix dimension: a scalar, named by its text, or a named cell with fields.</summary>
internal sealed record MatrixValue(string Name, YamlScalar Scalar, YamlMapping? Fields);

/// <summary>The dimensions of an instance and their values, in order.</summary>
internal sealed class MatrixCell(IReadOnlyList<string> dimensions, IReadOnlyList<MatrixValue> values)
{
    public static readonly MatrixCell Empty = new([], []);

    public IReadOnlyList<string> Dimensions { get; } = dimensions;

    public IReadOnlyList<MatrixValue> Values { get; } = values;

    public MatrixValue? Find(string dimension)
    {
        for (var i = 0; i < Dimensions.Count; i++) if (Dimensions[i] == dimension) return Values[i];
        return null;
    }

    /// <summary>The values of some dimensions as one text that no other values share.</summary>
    public string KeyOf(IReadOnlyList<string> dimensions) => string.Join('\0', dimensions.Select(d => Find(d)!.Name));
}
