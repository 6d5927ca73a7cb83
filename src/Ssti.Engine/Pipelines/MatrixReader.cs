using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>A set of cells over the same dimensions, in order: a stage's own matrix, or the instances of a stage it needs.</summary>
internal sealed record Relation(IReadOnlyList<string> Dimensions, IReadOnlyList<MatrixCell> Cells)
{
    public static readonly Relation One = new([], [MatrixCell.Empty]);
}

/// <summary>Reads a stage's <c>matrix:</c>.</summary>
internal sealed class MatrixReader(Templates templates, DiagnosticBag diagnostics)
{
    public const int MaxCells = 200_000;

    /// <summary>The product of the dimensions, the first one outermost; null when it is wrong.</summary>
    public Relation? Read(YamlMapping? matrix, SourceLocation where)
    {
        if (matrix is null) return Relation.One;
        var dimensions = new List<(string Name, IReadOnlyList<MatrixValue> Values)>();
        var good = true;
        long count = 1;
        foreach (var (key, node) in matrix.Entries)
        {
            if (!Names.IsStage(key.Text))
            {
                diagnostics.Error(DiagnosticCodes.BadName, key.Where, $"'{key.Text}' cannot name a matrix dimension", $"a name is {Names.StageRule}");
                good = false;
            }
            else if (Values(key.Text, templates.Resolve(node, null)) is { } values)
            {
                dimensions.Add((key.Text, values));
                count = Math.Min(count * values.Count, MaxCells + 1L);
            }
            else good = false;
        }

        if (good && count > MaxCells)
        {
            diagnostics.Error(DiagnosticCodes.BadMatrix, where,
                $"the matrix has more than {MaxCells} cells", "split it over several stages, or drop values");
            good = false;
        }

        if (!good) return null;
        var names = dimensions.Select(d => d.Name).ToArray();
        IEnumerable<MatrixValue[]> rows = [[]];
        foreach (var (_, values) in dimensions) rows = rows.SelectMany(_ => values, (row, value) => (MatrixValue[])[.. row, value]).ToList();
        return new Relation(names, rows.Select(row => new MatrixCell(names, row)).ToList());
    }

    private List<MatrixValue>? Values(string dimension, YamlNode node)
    {
        List<MatrixValue>? values = node switch
        {
            YamlSequence { Items.Count: > 0 } list => [.. list.Items.Select(item => Value(dimension, item)).OfType<MatrixValue>()],
            YamlMapping { Entries.Count: > 0 } named => [.. named.Entries.Select(entry => Cell(dimension, entry)).OfType<MatrixValue>()],
            _ => null,
        };
        if (values is null)
        {
            diagnostics.Error(DiagnosticCodes.BadMatrix, node.Where,
                $"the matrix dimension '{dimension}' must be a list of values or a mapping of named cells, neither empty",
                "such as 'label: [0, 1]' or 'row: { base: { proportion: 0 }, all: { proportion: 1 } }'");
            return null;
        }

        var expected = node is YamlSequence sequence ? sequence.Items.Count : ((YamlMapping)node).Entries.Count;
        if (values.Count != expected) return null;
        if (values.GroupBy(v => v.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            diagnostics.Error(DiagnosticCodes.BadMatrix, twice.Last().Scalar.Where,
                $"the value '{twice.Key}' stands twice in the matrix dimension '{dimension}'", "remove one");
            return null;
        }

        return values;
    }

    private MatrixValue? Value(string dimension, YamlNode node)
    {
        if (node is YamlScalar { IsNull: false } scalar && Names.IsCell(scalar.Canonical)) return new MatrixValue(scalar.Canonical, scalar, null);
        diagnostics.Error(DiagnosticCodes.BadMatrix, node.Where, $"{node.Described} cannot be a value of the matrix dimension '{dimension}'",
            $"a value becomes part of a name: {Names.CellRule}; for others use named cells, such as '{dimension}: {{ short-name: {{ value: ... }} }}'");
        return null;
    }

    private MatrixValue? Cell(string dimension, YamlEntry entry)
    {
        if (!Names.IsCell(entry.Key.Text))
        {
            diagnostics.Error(DiagnosticCodes.BadName, entry.Key.Where,
                $"'{entry.Key.Text}' cannot name a cell of '{dimension}'", $"a name is made of {Names.CellRule}");
            return null;
        }

        if (entry.Value is YamlMapping or YamlScalar { IsNull: true }) return new MatrixValue(entry.Key.Text, entry.Key, entry.Value as YamlMapping);
        diagnostics.Error(DiagnosticCodes.BadMatrix, entry.Value.Where,
            $"the cell '{entry.Key.Text}' of '{dimension}' must be a mapping of fields, not {entry.Value.Described}");
        return null;
    }
}
