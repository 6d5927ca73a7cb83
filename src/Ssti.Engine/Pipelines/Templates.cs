using System.Text;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>
/// Replaces <c>${{ params.x }}</c> and <c>${{ matrix.x }}</c>. A scalar that is wholly one expression becomes the value itself, type and all;
/// within a longer text the value's text is put in. Nothing else is an expression: no functions, no operators, no environment.
/// </summary>
internal sealed class Templates(DiagnosticBag diagnostics, IReadOnlyDictionary<string, YamlNode> parameters)
{
    private const string Open = "${{";
    private const string Close = "}}";
    private static readonly string[] OneBrace = ["${params.", "${matrix."];
    private long _expanded;

    /// <summary>The node with every expression replaced; the very node when it has none.</summary>
    /// <param name="node">The node.</param>
    /// <param name="cell">The values of <c>matrix</c>; null where it cannot be used.</param>
    public YamlNode Resolve(YamlNode node, MatrixCell? cell)
    {
        switch (node)
        {
            case YamlScalar scalar:
                return scalar.Text.Contains("${", StringComparison.Ordinal) ? Scalar(scalar, cell) : scalar;
            case YamlSequence sequence:
                List<YamlNode>? items = null;
                for (var i = 0; i < sequence.Items.Count; i++)
                {
                    var item = Resolve(sequence.Items[i], cell);
                    if (ReferenceEquals(item, sequence.Items[i])) continue;
                    items ??= [.. sequence.Items];
                    items[i] = item;
                }

                return items is null ? sequence : sequence.With(items);
            case YamlMapping mapping:
                List<YamlEntry>? entries = null;
                for (var i = 0; i < mapping.Entries.Count; i++)
                {
                    var value = Resolve(mapping.Entries[i].Value, cell);
                    if (ReferenceEquals(value, mapping.Entries[i].Value)) continue;
                    entries ??= [.. mapping.Entries];
                    entries[i] = new YamlEntry(mapping.Entries[i].Key, value);
                }

                return entries is null ? mapping : mapping.With(entries);
            default:
                return node;
        }
    }

    private YamlNode Scalar(YamlScalar scalar, MatrixCell? cell)
    {
        var text = scalar.Text;
        // Other tools write it so; as a text it would be believed without a word.
        if (OneBrace.FirstOrDefault(start => text.Contains(start, StringComparison.Ordinal)) is { } start)
        {
            diagnostics.Error(DiagnosticCodes.BadExpression, scalar.Where,
                $"'{start}' begins no expression", "an expression has two braces, as in ${{ params.rank }}");
            return Nothing(scalar);
        }

        if (!text.Contains(Open, StringComparison.Ordinal)) return scalar;
        var trimmed = text.AsSpan().Trim();
        if (trimmed.StartsWith(Open) && trimmed.IndexOf(Close) == trimmed.Length - Close.Length)
        {
            var value = Evaluate(trimmed[Open.Length..^Close.Length].Trim().ToString(), scalar, cell);
            return value is YamlScalar single ? single.At(scalar) : value ?? Nothing(scalar);
        }

        if (IsTooLarge(text.Length)) return Nothing(scalar);
        var result = new StringBuilder();
        var at = 0;
        while (true)
        {
            var open = text.IndexOf(Open, at, StringComparison.Ordinal);
            if (open < 0) break;
            var close = text.IndexOf(Close, open, StringComparison.Ordinal);
            if (close < 0)
            {
                diagnostics.Error(DiagnosticCodes.BadExpression, scalar.Where,
                    "'${{' without '}}'", "close the expression, as in ${{ params.rank }}");
                return Nothing(scalar);
            }

            result.Append(text, at, open - at);
            var value = Evaluate(text[(open + Open.Length)..close].Trim(), scalar, cell);
            if (value is YamlScalar single)
            {
                if (IsTooLarge(single.Text.Length)) return Nothing(scalar);
                result.Append(single.Canonical);
            }
            else if (value is not null)
                diagnostics.Error(DiagnosticCodes.BadExpression, scalar.Where,
                    $"{value.Described} cannot stand within a text", "an expression that gives a list or a mapping must be the whole value");
            at = close + Close.Length;
        }

        return new YamlScalar(scalar.Source, scalar.Where.Line, scalar.Where.Column, result.Append(text, at, text.Length - at).ToString(), plain: false);

        // A short file can spell a text of terabytes: a long parameter, often, in each of a hundred thousand cells.
        bool IsTooLarge(int length)
        {
            if ((_expanded += length) <= YamlReader.MaxLength) return false;
            diagnostics.Error(DiagnosticCodes.TooLarge, scalar.Where,
                $"the expressions of this pipeline give more than {YamlReader.MaxLength} characters of text", "give stages a file instead of a long text");
            return true;
        }
    }

    // After an error the value no longer matters, as long as its type raises no second one.
    private static YamlScalar Nothing(YamlScalar at) => new(at.Source, at.Where.Line, at.Where.Column, "", plain: false);

    private YamlNode? Evaluate(string expression, YamlScalar at, MatrixCell? cell)
    {
        var parts = expression.Split('.', 2);
        if (parts.Length == 2 && parts[0] == "params")
        {
            if (parameters.TryGetValue(parts[1], out var value)) return value;
            diagnostics.Unknown(DiagnosticCodes.BadExpression, at.Where, "parameter", parts[1], parameters.Keys, "parameters of this pipeline");
            return null;
        }

        if (parts.Length == 2 && parts[0] == "matrix")
        {
            if (cell is null)
            {
                diagnostics.Error(DiagnosticCodes.BadExpression, at.Where,
                    $"'matrix.{parts[1]}' cannot be used here",
                    "matrix values exist under with:, seed:, salt: and compute: of a stage that has them");
                return null;
            }

            return Matrix(parts[1], at, cell);
        }

        diagnostics.Error(DiagnosticCodes.BadExpression, at.Where,
            $"'{(expression.Length > 60 ? expression[..60] + "…" : expression)}' is no expression",
            "there are two: ${{ params.x }} and ${{ matrix.x }}");
        return null;
    }

    private YamlNode? Matrix(string path, YamlScalar at, MatrixCell cell)
    {
        var parts = path.Split('.', 2);
        if (cell.Find(parts[0]) is not { } value)
        {
            diagnostics.Unknown(DiagnosticCodes.BadExpression, at.Where,
                "matrix dimension", parts[0], cell.Dimensions, "matrix dimensions of this stage");
            return null;
        }

        if (parts.Length == 1) return value.Scalar;
        if (value.Fields?[parts[1]] is { } field) return field;
        diagnostics.Unknown(DiagnosticCodes.BadExpression, at.Where, "matrix field", $"{parts[0]}.{parts[1]}",
            (value.Fields?.Entries ?? []).Select(e => $"{parts[0]}.{e.Key.Text}"), $"fields of the cell '{value.Name}'");
        return null;
    }
}
