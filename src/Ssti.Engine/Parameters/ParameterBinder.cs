using System.Collections;
using System.Globalization;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Parameters;

/// <summary>Turns the mapping under <c>with:</c> into a kind's parameter record, telling every mistake in it.</summary>
internal sealed class ParameterBinder(DiagnosticBag diagnostics)
{
    private readonly Dictionary<string, SourceLocation> _places = [];
    private bool _failed;

    /// <summary>The record, or null when anything in it is wrong.</summary>
    /// <param name="kind">The kind whose parameters these are.</param>
    /// <param name="with">The mapping; null when there is no <c>with:</c>.</param>
    /// <param name="stage">Where the stage stands, for what is missing.</param>
    public object? Bind(IStageKind kind, YamlMapping? with, SourceLocation stage)
    {
        _failed = false;
        var places = _places;
        places.Clear();
        var bound = BindRecord(RecordShape.Of(kind.ParametersType), with, "", stage, places, kind);
        if (_failed) return null;
        Refuse(kind.Validate(bound), with?.Where ?? stage);
        return _failed ? null : bound;
    }

    /// <summary>Tells what a kind finds wrong with the parameters that were bound last, each at its place.</summary>
    /// <param name="errors">The errors.</param>
    /// <param name="otherwise">The place of an error in what is not written.</param>
    public void Refuse(IEnumerable<ParameterError> errors, SourceLocation otherwise)
    {
        foreach (var error in errors)
        {
            var where = _places.TryGetValue(error.Key, out var exact) ? exact
                : _places.Where(p => error.Key.StartsWith(p.Key + ".", StringComparison.Ordinal)).Select(p => (SourceLocation?)p.Value).LastOrDefault() ?? otherwise;
            Fail(DiagnosticCodes.Refused, where, $"'{error.Key}': {error.Message}");
        }
    }

    /// <summary>Binds a block of the pipeline format itself, such as <c>compute:</c>; null when anything in it is wrong.</summary>
    public object? BindBlock(Type type, YamlMapping mapping)
    {
        _failed = false;
        var bound = BindRecord(RecordShape.Of(type), mapping, "", mapping.Where, [], null);
        return _failed ? null : bound;
    }

    private object BindRecord(
        RecordShape shape, YamlMapping? mapping, string prefix, SourceLocation owner, Dictionary<string, SourceLocation> places, IStageKind? kind)
    {
        var record = shape.Create();
        foreach (var (key, value) in mapping?.Entries ?? [])
        {
            if (shape.Find(key.Text) is not { } parameter)
            {
                _failed = true;
                diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where, "key", key.Text, shape.Parameters.Select(p => p.Key),
                    kind is null ? "keys here" : $"parameters of '{kind.Name}'");
                continue;
            }

            var path = prefix + parameter.Key;
            places[path] = value.Where;
            var bound = BindValue(parameter.Value, value, path, places);
            if (bound is not Failed) parameter.Property.SetValue(record, bound);
        }

        foreach (var parameter in shape.Parameters)
        {
            if (!parameter.Required || mapping?[parameter.Key] is not null) continue;
            var of = kind is null ? "" : $" of '{kind.Name}'";
            Fail(DiagnosticCodes.MissingKey, mapping?.Where ?? owner, $"the parameter '{prefix}{parameter.Key}'{of} is missing",
                $"add '{parameter.Key}: {Expected(parameter.Value)}'{(prefix.Length == 0 ? " under 'with:'" : "")}{(parameter.Description is { } text ? $": {text}" : "")}");
        }

        return record;
    }

    private object? BindValue(ValueShape shape, YamlNode node, string path, Dictionary<string, SourceLocation> places)
    {
        if (node is YamlScalar { IsNull: true })
            return shape.Nullable ? null : Wrong(shape, node, path);
        switch (shape.Kind)
        {
            case ShapeKind.Record:
                return node is YamlMapping mapping ? BindRecord(RecordShape.Of(shape.Type), mapping, path + ".", node.Where, places, null) : Wrong(shape, node, path);
            case ShapeKind.List:
                return node is YamlSequence sequence ? BindList(shape, sequence, path, places) : Wrong(shape, node, path);
        }

        if (node is not YamlScalar scalar) return Wrong(shape, node, path);
        return shape.Kind switch
        {
            ShapeKind.Text => scalar.Text,
            ShapeKind.Boolean when scalar.Type == ScalarType.Boolean => scalar.Boolean,
            ShapeKind.Integer when scalar.Type == ScalarType.Integer && scalar.Integer is >= int.MinValue and <= int.MaxValue => (int)scalar.Integer,
            ShapeKind.Long when scalar.Type == ScalarType.Integer => scalar.Integer,
            ShapeKind.Number when scalar.Type is ScalarType.Integer or ScalarType.Number && double.IsFinite(scalar.Number) => scalar.Number,
            ShapeKind.Choice => BindChoice(shape, scalar, path),
            ShapeKind.Source => BindSource(scalar, path),
            _ => Wrong(shape, node, path),
        };
    }

    private object? BindList(ValueShape shape, YamlSequence sequence, string path, Dictionary<string, SourceLocation> places)
    {
        var item = shape.Item!;
        var type = item.Nullable && item.Type.IsValueType ? typeof(Nullable<>).MakeGenericType(item.Type) : item.Type;
        var values = Array.CreateInstance(type, sequence.Items.Count);
        var failed = false;
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            var itemPath = $"{path}.{i.ToString(CultureInfo.InvariantCulture)}";
            places[itemPath] = sequence.Items[i].Where;
            var value = BindValue(item, sequence.Items[i], itemPath, places);
            if (value is Failed) failed = true;
            else values.SetValue(value, i);
        }

        if (failed) return Failed.Instance;
        if (shape.Type.IsArray || !shape.Type.IsAssignableTo(typeof(IList)) || shape.Type.IsAssignableFrom(values.GetType())) return values;
        var list = (IList)Activator.CreateInstance(shape.Type)!;
        foreach (var value in values) list.Add(value);
        return list;
    }

    private object? BindChoice(ValueShape shape, YamlScalar scalar, string path)
    {
        var names = Enum.GetNames(shape.Type);
        foreach (var name in names)
            if (RecordShape.Kebab(name) == scalar.Text) return Enum.Parse(shape.Type, name);
        var known = names.Select(RecordShape.Kebab).ToList();
        var nearest = NearestWord.Find(scalar.Text, known);
        return Fail(DiagnosticCodes.BadValue, scalar.Where, $"'{path}' cannot be {scalar.Described}" + (nearest is null ? "" : $"; did you mean '{nearest}'?"),
            $"it is one of: {string.Join(", ", known)}");
    }

    private object? BindSource(YamlScalar scalar, string path)
    {
        var text = scalar.Text;
        if (text.Length == 0 || text.Contains('\0'))
            return Fail(DiagnosticCodes.BadValue, scalar.Where, $"'{path}' is an empty path", "give a file, a folder, or a URI such as hf://owner/name");
        if (text.Contains("://", StringComparison.Ordinal)) return new SourcePath(text, null);
        var local = PathRules.Resolve(scalar.Paths, text, out var problem);
        if (local is null)
        {
            return Fail(DiagnosticCodes.PathOutside, scalar.Where, $"'{path}': {problem}",
                "move the data into the project, or name it in ssti.local.yaml or on the command line: --set <stage>." + path + "=<path>, which may lead anywhere");
        }

        if (!Path.Exists(local))
        {
            return Fail(DiagnosticCodes.PathMissing, scalar.Where, $"'{path}': there is no file or folder '{text}'",
                $"looked for {local}; a relative path is relative to {(scalar.Paths.HasLines ? "the file it is written in" : "the working folder")}");
        }

        return new SourcePath(text, local);
    }

    private object Wrong(ValueShape shape, YamlNode node, string path) =>
        Fail(DiagnosticCodes.WrongType, node.Where, $"'{path}' must be {Expected(shape)}, not {node.Described}", null);

    private static string Expected(ValueShape shape) => shape.Kind switch
    {
        ShapeKind.Text => "a text",
        ShapeKind.Boolean => "true or false",
        ShapeKind.Integer => "an integer",
        ShapeKind.Long => "an integer",
        ShapeKind.Number => "a number",
        ShapeKind.Choice => "one of " + string.Join(", ", Enum.GetNames(shape.Type).Select(RecordShape.Kebab)),
        ShapeKind.Source => "a path or a URI",
        ShapeKind.List => $"a list, each item {Expected(shape.Item!)}",
        _ => "a mapping with keys " + string.Join(", ", RecordShape.Of(shape.Type).Parameters.Select(p => p.Key)),
    };

    private Failed Fail(string code, SourceLocation where, string message, string? help = null)
    {
        _failed = true;
        diagnostics.Error(code, where, message, help);
        return Failed.Instance;
    }

    // Null is a value a parameter may have, so failing needs another mark.
    private sealed class Failed
    {
        public static readonly Failed Instance = new();
    }
}
