using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ssti.Engine.Yaml;

/// <summary>
/// Reads one YAML document into nodes with places, with bounds on everything a hostile file could grow: length, depth, and what aliases stand for.
/// </summary>
/// <remarks>
/// Nothing is deserialised by type: tags are refused. An alias is not copied, but what it stands for is counted as if it were, because every later
/// step walks it: nine lines of aliases of aliases would otherwise be a billion nodes.
/// </remarks>
internal sealed class YamlReader
{
    public const int MaxLength = 64 * 1024 * 1024;
    public const int MaxDepth = 64;
    public const long MaxAliased = 1_000_000;
    private const int LookThrough = 8;
    private const string MergeKey = "<<";

    private readonly SourceFile _source;
    private readonly DiagnosticBag _diagnostics;
    private readonly Parser _parser;
    private readonly Dictionary<string, (YamlNode? Node, long Size)> _anchors = [];
    private long _aliased;
    private long _size;

    private YamlReader(SourceFile source, string text, DiagnosticBag diagnostics) =>
        (_source, _diagnostics, _parser) = (source, diagnostics, new Parser(new StringReader(text)));

    /// <summary>The document's root, or null when there is none or it could not be read; the reason is among the diagnostics.</summary>
    public static YamlNode? Read(SourceFile source, string text, DiagnosticBag diagnostics)
    {
        if (text.Length > MaxLength)
        {
            diagnostics.Error(DiagnosticCodes.TooLarge, new(source.Name, 1, 1), $"the file has {text.Length} characters; the most is {MaxLength}");
            return null;
        }

        try
        {
            return new YamlReader(source, text, diagnostics).Document();
        }
        catch (Refused)
        {
            return null;
        }
        catch (YamlException e)
        {
            // The parser leads its message with its own rendering of the place.
            var message = e.InnerException is null ? e.Message : e.InnerException.Message;
            diagnostics.Error(DiagnosticCodes.Syntax, new(source.Name,
                (int)e.Start.Line, (int)e.Start.Column), $"not valid YAML: {message.TrimEnd('.')}",
                "check the indentation, and put quotes around a text that has ': ', ' #' or starts with one of * & ! | > % @ ` [ {");
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IndexOutOfRangeException or OverflowException
            or FormatException or NullReferenceException or KeyNotFoundException)
        {
            diagnostics.Error(DiagnosticCodes.Syntax, new(source.Name, 1, 1), $"not valid YAML ({e.Message})");
            return null;
        }
    }

    private YamlNode? Document()
    {
        Next();
        Expect<StreamStart>();
        if (_parser.Current is StreamEnd) return null;
        Expect<DocumentStart>();
        var root = Node(0);
        Expect<DocumentEnd>();
        if (_parser.Current is not StreamEnd)
            throw Refuse(DiagnosticCodes.Syntax, _parser.Current!, "a second document in one file", "a pipeline is one document: remove the '---'");
        return root;
    }

    private YamlNode Node(int depth)
    {
        var current = _parser.Current!;
        var (line, column) = ((int)current.Start.Line, (int)current.Start.Column);
        if (depth > MaxDepth) throw Refuse(DiagnosticCodes.TooLarge, current, $"nested deeper than {MaxDepth} levels");
        _size++;
        if (current is AnchorAlias alias) return Aliased(alias);
        if (current is not NodeEvent node) throw Refuse(DiagnosticCodes.Syntax, current, $"not valid YAML: unexpected {current.GetType().Name}");
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific) throw Refuse(DiagnosticCodes.Syntax, current, $"the tag '{node.Tag}' is not supported", "remove it");
        var anchor = node.Anchor.IsEmpty ? null : node.Anchor.Value;
        // Until it is complete, an anchor names nothing: a node cannot hold itself.
        if (anchor is not null) _anchors[anchor] = (null, 0);
        var before = _size;
        Next();
        YamlNode read = node switch
        {
            Scalar scalar => new YamlScalar(_source, line, column, scalar.Value, scalar.Style is ScalarStyle.Plain or ScalarStyle.Any),
            SequenceStart => Sequence(line, column, depth),
            MappingStart => Mapping(line, column, depth),
            _ => throw Refuse(DiagnosticCodes.Syntax, current, $"not valid YAML: unexpected {current.GetType().Name}"),
        };
        if (anchor is not null) _anchors[anchor] = (read, _size - before + 1);
        return read;
    }

    private YamlNode Aliased(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var target))
            throw Refuse(DiagnosticCodes.Syntax, alias, $"the alias '*{alias.Value}' has no anchor '&{alias.Value}' before it");
        if (target.Node is null) throw Refuse(DiagnosticCodes.Syntax, alias, $"the alias '*{alias.Value}' stands within what it names");
        _size += target.Size;
        _aliased += target.Size;
        if (_aliased > MaxAliased) throw Refuse(DiagnosticCodes.TooLarge, alias, $"aliases stand for more than {MaxAliased} nodes");
        Next();
        return target.Node;
    }

    private YamlSequence Sequence(int line, int column, int depth)
    {
        var items = new List<YamlNode>();
        while (_parser.Current is not SequenceEnd) items.Add(Node(depth + 1));
        Next();
        return new YamlSequence(_source, line, column, items);
    }

    private YamlMapping Mapping(int line, int column, int depth)
    {
        var entries = new List<YamlEntry>();
        // Most mappings are short enough to look through; a long one must not take the square of its length.
        Dictionary<string, YamlScalar>? seen = null;
        while (_parser.Current is not MappingEnd)
        {
            var at = _parser.Current!;
            if (Node(depth + 1) is not YamlScalar key) throw Refuse(DiagnosticCodes.WrongType, at, "a key must be a plain word");
            var value = Node(depth + 1);
            if (at is Scalar { Value: MergeKey, Style: ScalarStyle.Plain })
            {
                _diagnostics.Error(DiagnosticCodes.Syntax, key.Where, "merge keys ('<<') are not part of YAML 1.2, and are not read",
                    "write the keys out; or hold each common value once under 'params:' and take it with ${{ params.x }}; or make the stages one, with a 'matrix:'");
                continue;
            }

            if (entries.Count == LookThrough) seen = entries.ToDictionary(e => e.Key.Text, e => e.Key);
            if (First(key.Text) is { } first)
            {
                _diagnostics.Error(DiagnosticCodes.DuplicateKey, key.Where, $"the key '{key.Text}' stands twice", $"the first is at {first.Where}: remove one");
                continue;
            }

            entries.Add(new YamlEntry(key, value));
            seen?.Add(key.Text, key);
        }

        Next();
        return new YamlMapping(_source, line, column, entries);

        YamlScalar? First(string text)
        {
            if (seen is not null) return seen.GetValueOrDefault(text);
            foreach (var entry in entries) if (entry.Key.Text == text) return entry.Key;
            return null;
        }
    }

    private void Expect<T>()
        where T : ParsingEvent
    {
        if (_parser.Current is not T) throw Refuse(DiagnosticCodes.Syntax, _parser.Current!, $"not valid YAML: unexpected {_parser.Current?.GetType().Name}");
        Next();
    }

    private void Next()
    {
        if (!_parser.MoveNext() && _parser.Current is not StreamEnd)
        {
            _diagnostics.Error(DiagnosticCodes.Syntax, new(_source.Name, 1, 1), "not valid YAML: it ends too early");
            throw new Refused();
        }
    }

    private Refused Refuse(string code, ParsingEvent at, string message, string? help = null)
    {
        _diagnostics.Error(code, new(_source.Name, (int)at.Start.Line, (int)at.Start.Column), message, help);
        return new Refused();
    }

    private sealed class Refused : Exception;
}
