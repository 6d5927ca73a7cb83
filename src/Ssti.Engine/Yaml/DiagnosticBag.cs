namespace Ssti.Engine.Yaml;

/// <summary>Collects what is wrong, so that one run of the loader tells all of it.</summary>
internal sealed class DiagnosticBag
{
    // A file that is no pipeline at all would otherwise be answered with thousands of lines.
    private const int Limit = 100;
    private readonly List<Diagnostic> _items = [];

    public bool HasErrors { get; private set; }

    public IReadOnlyList<Diagnostic> Items => _items;

    public void Error(string code, SourceLocation where, string message, string? help = null) =>
        Add(new Diagnostic(Severity.Error, code, where, message, help));

    public void Warning(string code, SourceLocation where, string message, string? help = null) =>
        Add(new Diagnostic(Severity.Warning, code, where, message, help));

    /// <summary>Reports an unknown key or name with the nearest right one.</summary>
    public void Unknown(string code, SourceLocation where, string what, string name, IEnumerable<string> known, string listTitle)
    {
        // The list is full: looking for the nearest of thousands of names, thousands of times, would tell nobody anything.
        if (_items.Count >= Limit)
        {
            HasErrors = true;
            return;
        }

        var all = known.ToList();
        var nearest = NearestWord.Find(name, all);
        var shown = name.Length > 60 ? name[..60] + "…" : name;
        Error(code, where, $"unknown {what} '{shown}'" + (nearest is null ? "" : $"; did you mean '{nearest}'?"),
            all.Count == 0 ? $"there are no {listTitle} here" : $"{listTitle}: {string.Join(", ", all.Take(40))}{(all.Count > 40 ? ", …" : "")}");
    }

    private void Add(Diagnostic diagnostic)
    {
        HasErrors |= diagnostic.Severity == Severity.Error;
        // One mistake in a shared node is met once for each matrix cell.
        if (_items.Count < Limit && !_items.Contains(diagnostic) && !IsConsequence(diagnostic)) _items.Add(diagnostic);
    }

    // Where an expression was wrong, there is no value that could be of the wrong type.
    private bool IsConsequence(Diagnostic diagnostic) => diagnostic.Code != DiagnosticCodes.BadExpression
        && _items.Exists(item => item.Code == DiagnosticCodes.BadExpression && item.Where == diagnostic.Where);
}
