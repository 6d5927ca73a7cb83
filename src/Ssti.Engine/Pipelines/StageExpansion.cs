using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>The instances of a stage: its cells, and for each cell the instances its inputs take.</summary>
/// <param name="Definition">The stage.</param>
/// <param name="Relation">Its cells.</param>
/// <param name="FirstIndex">The pipeline-wide index of its first instance.</param>
/// <param name="Names">The instances' names.</param>
/// <param name="Inputs">For each cell, in the order of <see cref="StageDefinition.Needs"/>, the indices of the instances taken.</param>
internal sealed record StageExpansion(
    StageDefinition Definition, Relation Relation, int FirstIndex, IReadOnlyList<string> Names, IReadOnlyList<IReadOnlyList<int>[]> Inputs);

/// <summary>
/// Expands matrices along the edges. An input that takes one tree hands its stage's dimensions on to the consumer (joined by name); one that takes
/// many collects the cells that agree with the consumer's.
/// </summary>
internal sealed class StageExpander(MatrixReader matrices, DiagnosticBag diagnostics)
{
    private const long MaxEdges = 10_000_000;
    private readonly Dictionary<string, StageExpansion> _done = [];
    private readonly Dictionary<string, Dictionary<string, int>> _places = [];
    private long _edges;
    private int _count;

    /// <summary>Expands a stage whose needs are expanded; null when it has errors.</summary>
    public StageExpansion? Expand(StageDefinition stage)
    {
        var own = matrices.Read(stage.Matrix, stage.Matrix?.Where ?? stage.Where);
        var selections = stage.Needs.Select(need => need.From.Select(Select).ToList()).ToList();
        if (own is null || selections.Any(s => s.Any(x => x is null))) return null;
        var relation = Relation.One;
        for (var i = 0; i < stage.Needs.Count; i++)
        {
            if (stage.Needs[i].Input.Many) continue;
            if (Joined(stage, relation, selections[i][0]!.Relation, $"the input '{stage.Needs[i].Input.Name}'", stage.Needs[i].Where, all: false) is not { } joined) return null;
            relation = joined;
        }

        if (Joined(stage, relation, own, "the matrix", stage.Matrix?.Where ?? stage.Where, all: true) is not { } cells) return null;
        if (NamesOf(stage, cells) is not { } names) return null;
        if (_count + names.Count > MatrixReader.MaxCells)
        {
            diagnostics.Error(DiagnosticCodes.BadMatrix, stage.Where,
                $"the pipeline has more than {MatrixReader.MaxCells} stage instances", "split it into several pipelines");
            return null;
        }

        var inputs = new List<IReadOnlyList<int>[]>(names.Count);
        var finders = selections.Select(items => items.Select(s => new Finder(s!, cells.Dimensions)).ToList()).ToList();
        for (var c = 0; c < cells.Cells.Count; c++)
        {
            var taken = new IReadOnlyList<int>[stage.Needs.Count];
            for (var i = 0; i < taken.Length; i++)
            {
                var at = c;
                taken[i] = finders[i].Count == 1 ? finders[i][0].Find(cells.Cells[at]) : finders[i].SelectMany(f => f.Find(cells.Cells[at])).ToList();
                if ((_edges += taken[i].Count) > MaxEdges)
                {
                    diagnostics.Error(DiagnosticCodes.BadMatrix, stage.Needs[i].Where,
                        $"the stage instances have more than {MaxEdges} inputs in all", "let cells take fewer of others: share a dimension's name, or name cells with a glob");
                    return null;
                }

                if (taken[i].Count > 0 || !stage.Needs[i].Input.Required) continue;
                diagnostics.Error(DiagnosticCodes.NoJoin, stage.Needs[i].Where,
                    $"no cell for the input '{stage.Needs[i].Input.Name}' of '{names[c]}'",
                    "give the stages equal values of the dimensions they share");
                return null;
            }

            inputs.Add(taken);
        }

        var expansion = new StageExpansion(stage, cells, _count, names, inputs);
        _done[stage.Name] = expansion;
        _count += names.Count;
        return expansion;
    }

    private Relation? Joined(StageDefinition stage, Relation left, Relation right, string what, SourceLocation where, bool all)
    {
        var result = MatrixJoin.Join(left, right);
        if (result.TooLarge) diagnostics.Error(DiagnosticCodes.BadMatrix, where,
            $"{what} of '{stage.Name}' gives more than {MatrixReader.MaxCells} cells",
            "share a dimension's name where values belong together, or drop values");
        else if (result.Conflict is { } conflict) diagnostics.Error(DiagnosticCodes.BadMatrix, where,
            $"{what} of '{stage.Name}' has another '{conflict.Field}' for the cell '{conflict.Left.Name}' of '{conflict.Dimension}' than another input",
            $"the cell is written at {conflict.Left.Scalar.Where} and at {conflict.Right.Scalar.Where}: make them equal, rename the dimension, or let the stage inherit it");
        else if (result.Joined.Cells.Count == 0 || (all && result.Unmatched.Count > 0))
        {
            var shared = right.Dimensions.Where(left.Dimensions.Contains).ToList();
            var cell = result.Unmatched.FirstOrDefault() ?? right.Cells[0];
            diagnostics.Error(DiagnosticCodes.NoJoin, where,
                $"{what} of '{stage.Name}' has the cell '{string.Join('-', shared.Select(d => cell.Find(d)!.Name))}', which no other input has",
                $"dimensions of one name ({string.Join(", ", shared)}) are joined on equal values: "
                    + "rename the dimension to combine all with all, or give both sides the same values");
        }
        else return result.Joined;
        return null;
    }

    private List<string>? NamesOf(StageDefinition stage, Relation cells)
    {
        if (cells.Dimensions.Count == 0) return [stage.Name];
        var names = new List<string>(cells.Cells.Count);
        var seen = new HashSet<string>();
        foreach (var cell in cells.Cells)
        {
            var name = $"{stage.Name}@{string.Join('-', cell.Values.Select(v => v.Name))}";
            names.Add(name);
            if (seen.Add(name)) continue;
            diagnostics.Error(DiagnosticCodes.BadMatrix, stage.Matrix?.Where ?? stage.Where,
                $"two cells are both named '{name}'", "a '-' within values makes them ambiguous: rename a value");
            return null;
        }

        return names;
    }

    private Selection? Select(StageReference reference)
    {
        if (!_done.TryGetValue(reference.Stage, out var stage)) return null;
        // A whole stage hands on its cells as they are.
        if (reference.Cells is null) return new Selection([.. Enumerable.Range(stage.FirstIndex, stage.Names.Count)], stage.Relation);
        var indices = new List<int>();
        var cells = new List<MatrixCell>();
        var exact = !reference.Cells.Contains('*', StringComparison.Ordinal) && !reference.Cells.Contains('?', StringComparison.Ordinal);
        foreach (var i in exact ? Exactly(stage, reference) : Matching(stage, reference))
        {
            indices.Add(stage.FirstIndex + i);
            cells.Add(stage.Relation.Cells[i]);
        }

        if (indices.Count == 0)
        {
            diagnostics.Unknown(DiagnosticCodes.NoCell, reference.Node.Where,
                "cell", reference.Node.Text, stage.Names, $"cells of '{reference.Stage}'");
            return null;
        }

        var inherited = stage.Relation.Dimensions.Where(d => !exact && !IsNarrowed(d, stage.Relation.Cells, cells)).ToArray();
        return new Selection(indices, new Relation(inherited, cells.Select(c => new MatrixCell(inherited, inherited.Select(d => c.Find(d)!).ToArray())).ToList()));
    }

    private static IEnumerable<int> Matching(StageExpansion stage, StageReference reference)
    {
        var pattern = $"{reference.Stage}@{reference.Cells}";
        for (var i = 0; i < stage.Names.Count; i++)
            if (Glob.IsMatch(pattern, stage.Names[i])) yield return i;
    }

    // Ten thousand stages may each take one of ten thousand cells: not by looking through all of them each time.
    private IEnumerable<int> Exactly(StageExpansion stage, StageReference reference)
    {
        if (!_places.TryGetValue(reference.Stage, out var places))
        {
            _places[reference.Stage] = places = new Dictionary<string, int>(stage.Names.Count);
            for (var i = 0; i < stage.Names.Count; i++) places[stage.Names[i]] = i;
        }

        if (places.TryGetValue($"{reference.Stage}@{reference.Cells}", out var at)) yield return at;
    }

    // A glob that leaves one of several values has chosen it: the consumer is no longer about that dimension.
    private static bool IsNarrowed(string dimension, IReadOnlyList<MatrixCell> all, IReadOnlyList<MatrixCell> selected)
    {
        var name = selected[0].Find(dimension)!.Name;
        return selected.All(c => c.Find(dimension)!.Name == name) && all.Any(c => c.Find(dimension)!.Name != name);
    }

    /// <summary>The cells a reference names, over the dimensions it hands on.</summary>
    private sealed record Selection(IReadOnlyList<int> Indices, Relation Relation);

    /// <summary>Finds the selected instances that agree with a consumer's cell.</summary>
    private sealed class Finder
    {
        private readonly string[] _shared;
        private readonly IReadOnlyList<int> _all;
        private readonly Dictionary<string, List<int>> _byKey = [];

        public Finder(Selection selection, IReadOnlyList<string> dimensions)
        {
            _all = selection.Indices;
            _shared = [.. selection.Relation.Dimensions.Where(dimensions.Contains)];
            if (_shared.Length == 0) return;
            for (var i = 0; i < selection.Indices.Count; i++)
            {
                var key = selection.Relation.Cells[i].KeyOf(_shared);
                if (!_byKey.TryGetValue(key, out var list)) _byKey[key] = list = [];
                list.Add(selection.Indices[i]);
            }
        }

        public IReadOnlyList<int> Find(MatrixCell cell) => _shared.Length == 0 ? _all : _byKey.TryGetValue(cell.KeyOf(_shared), out var list) ? list : [];
    }
}
