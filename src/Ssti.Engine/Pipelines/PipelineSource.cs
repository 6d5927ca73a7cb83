using System.Text;
using Ssti.Engine.Parameters;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>What a pipeline file and all it includes say, before any of it is understood.</summary>
internal sealed class PipelineSource
{
    private const int MaxFiles = 1000;
    private static readonly string[] TopLevel = ["name", "description", "params", "seed", "compute", "profiles", "include", "stages"];
    private readonly DiagnosticBag _diagnostics;
    private readonly Dictionary<string, bool> _files = [];
    private readonly Dictionary<string, YamlNode> _parameters = [];
    private readonly Dictionary<string, int> _parameterDepth = [];
    private readonly List<(YamlScalar Name, YamlMapping Body)> _stages = [];
    private readonly Dictionary<string, SourceLocation> _stageNames = [];

    private PipelineSource(DiagnosticBag diagnostics) => (_diagnostics, Profiles) = (diagnostics, new ProfileSource(diagnostics));

    /// <summary>The root file's mapping.</summary>
    public YamlMapping? Root { get; private set; }

    public IReadOnlyDictionary<string, YamlNode> Parameters => _parameters;

    public IReadOnlyList<(YamlScalar Name, YamlMapping Body)> Stages => _stages;

    /// <summary>What the files say of profiles.</summary>
    public ProfileSource Profiles { get; }

    /// <summary>Reads a file and what it includes. Null when the file itself is no pipeline.</summary>
    public static PipelineSource? Read(string path, DiagnosticBag diagnostics)
    {
        var source = new PipelineSource(diagnostics);
        string full;
        try
        {
            full = Path.GetFullPath(path);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or PathTooLongException)
        {
            diagnostics.Error(DiagnosticCodes.Unreadable, new(path, 0, 0), $"not a path: {e.Message}");
            return null;
        }

        source.ReadFile(full, path, new SourceLocation(path, 0, 0), PathRules.RootOf(Path.GetDirectoryName(full) ?? full), 0);
        source.Profiles.Check(source._parameters);
        return source.Root is null ? null : source;
    }

    /// <summary>Replaces a parameter's value; false when there is no such parameter.</summary>
    public bool Override(string parameter, YamlNode value)
    {
        if (!_parameters.ContainsKey(parameter)) return false;
        _parameters[parameter] = value;
        return true;
    }

    /// <summary>Replaces a stage's body.</summary>
    public void Replace(string stage, YamlMapping body)
    {
        var at = _stages.FindIndex(s => s.Name.Text == stage);
        _stages[at] = (_stages[at].Name, body);
    }

    private void ReadFile(string full, string shown, SourceLocation from, string root, int depth)
    {
        if (_files.TryGetValue(full, out var done))
        {
            // The same file by two ways is one file; a file within itself is a mistake.
            if (!done) _diagnostics.Error(DiagnosticCodes.IncludeCycle, from,
                $"'{shown}' includes itself, directly or through others", "remove one of the includes");
            return;
        }

        if (_files.Count >= MaxFiles)
        {
            _diagnostics.Error(DiagnosticCodes.TooLarge, from, $"more than {MaxFiles} files are included");
            return;
        }

        _files[full] = false;
        if (Text(full, shown, from, _diagnostics) is { } text && Node(full, shown, root, text) is { } mapping)
        {
            if (depth == 0) Root = mapping;
            Take(mapping, full, shown, root, depth);
        }

        _files[full] = true;
    }

    /// <summary>The text of a file, or null and an error.</summary>
    internal static string? Text(string full, string shown, SourceLocation from, DiagnosticBag diagnostics)
    {
        try
        {
            // Not by its length: a pipe or a device has none.
            using var reader = new StreamReader(full, new UTF8Encoding(false, throwOnInvalidBytes: true));
            var (text, buffer) = (new StringBuilder(), new char[16 * 1024]);
            while (reader.Read(buffer) is > 0 and var read && text.Length <= YamlReader.MaxLength) text.Append(buffer, 0, read);
            if (text.Length <= YamlReader.MaxLength) return text.ToString();
            diagnostics.Error(DiagnosticCodes.TooLarge, from, $"'{shown}' is too large for a pipeline; the most is {YamlReader.MaxLength} characters");
        }
        catch (DecoderFallbackException)
        {
            diagnostics.Error(DiagnosticCodes.Unreadable, new(shown, 1, 1), "the file is not UTF-8", "save it as UTF-8");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : Directory.Exists(full) ? "it is a folder" : e.Message;
            diagnostics.Error(DiagnosticCodes.Unreadable, from, $"cannot read '{shown}': {why}", depthHint(from));
        }

        return null;

        static string? depthHint(SourceLocation from) => from.Line > 0 ? "an include is relative to the file that includes it" : null;
    }

    private YamlMapping? Node(string full, string shown, string root, string text)
    {
        var had = _diagnostics.Items.Count;
        var node = YamlReader.Read(new SourceFile(shown, Path.GetDirectoryName(full)!, root), text, _diagnostics);
        if (node is YamlMapping mapping) return mapping;
        if (_diagnostics.Items.Count == had)
        {
            _diagnostics.Error(DiagnosticCodes.WrongType, node?.Where ?? new(shown,
                1, 1), node is null or YamlScalar { IsNull: true } ? "the file is empty" : $"a pipeline is a mapping, not {node.Described}",
                "a pipeline has at least 'stages:'; see docs/pipelines.md");
        }

        return null;
    }

    private void Take(YamlMapping mapping, string full, string shown, string root, int depth)
    {
        foreach (var (key, value) in mapping.Entries)
        {
            switch (key.Text)
            {
                case "params": TakeParameters(value, depth); break;
                case "profiles": Profiles.Take(value, depth); break;
                case "stages": TakeStages(value); break;
                case "include": break;
                case "name" or "description" or "seed" or "compute": break;
                default: _diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where, "key", key.Text, TopLevel, "keys of a pipeline"); break;
            }
        }

        if (mapping["include"] is { } include) TakeIncludes(include, full, shown, root, depth);
    }

    private void TakeIncludes(YamlNode include, string full, string shown, string root, int depth)
    {
        if (include is not YamlSequence files)
        {
            _diagnostics.Error(DiagnosticCodes.WrongType, include.Where,
                $"'include' must be a list of files, not {include.Described}", "write it as 'include: [common.yaml]'");
            return;
        }

        foreach (var file in files.Items)
        {
            if (file is not YamlScalar { Text.Length: > 0 } scalar)
            {
                _diagnostics.Error(DiagnosticCodes.WrongType, file.Where, $"an include must be a file, not {file.Described}");
                continue;
            }

            if (PathRules.Resolve(scalar.Source, scalar.Text, out var problem) is not { } target)
                _diagnostics.Error(DiagnosticCodes.PathOutside, scalar.Where, problem!, "include files of the same repository only");
            else if (depth >= YamlReader.MaxDepth) _diagnostics.Error(DiagnosticCodes.TooLarge, scalar.Where,
                $"includes are nested deeper than {YamlReader.MaxDepth} levels");
            else ReadFile(target, Path.Combine(Path.GetDirectoryName(shown) ?? "", scalar.Text), scalar.Where, root, depth + 1);
        }
    }

    private void TakeParameters(YamlNode node, int depth)
    {
        if (node is YamlScalar { IsNull: true }) return;
        if (node is not YamlMapping mapping)
        {
            _diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'params' must be a mapping of names to values, not {node.Described}");
            return;
        }

        foreach (var (key, value) in mapping.Entries)
        {
            if (!Names.IsStage(key.Text))
                _diagnostics.Error(DiagnosticCodes.BadName, key.Where, $"'{key.Text}' cannot name a parameter", $"a name is {Names.StageRule}");
            else if (!_parameters.TryGetValue(key.Text, out var known))
                (_parameters[key.Text], _parameterDepth[key.Text]) = (value, depth);
            else if (_parameterDepth[key.Text] == depth)
                _diagnostics.Error(DiagnosticCodes.DuplicateName, key.Where,
                    $"the parameter '{key.Text}' is defined twice", $"the other is at {known.Where}; set it in the including file instead");
            // An including file is read first, and its value holds.
        }
    }

    private void TakeStages(YamlNode node)
    {
        if (node is not YamlMapping mapping)
        {
            _diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'stages' must be a mapping of names to stages, not {node.Described}");
            return;
        }

        foreach (var (key, value) in mapping.Entries)
        {
            var name = key.Text;
            if (!Names.IsStage(name)) _diagnostics.Error(DiagnosticCodes.BadName, key.Where,
                $"'{name}' cannot name a stage", $"a name is {Names.StageRule}");
            else if (Names.Reserved.Contains(name)) _diagnostics.Error(DiagnosticCodes.BadName, key.Where,
                $"a stage cannot be named '{name}'", "--set uses that word for something else");
            else if (!_stageNames.TryAdd(name, key.Where))
                _diagnostics.Error(DiagnosticCodes.DuplicateName, key.Where,
                    $"the stage '{name}' is defined twice", $"the other is at {_stageNames[name]}: rename one");
            else if (value is YamlMapping body) _stages.Add((key, body));
            else _diagnostics.Error(DiagnosticCodes.WrongType, value.Where,
                $"the stage '{name}' must be a mapping, not {value.Described}", "a stage has at least 'uses:'");
        }
    }
}
