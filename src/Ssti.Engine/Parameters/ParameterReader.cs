using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Parameters;

/// <summary>Reads a parameter record back from a key document: the inverse of <see cref="ParameterWriter"/>.</summary>
public static class ParameterReader
{
    /// <summary>The record of a kind.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="json">The document's <c>parameters</c>, every one of the kind's.</param>
    /// <param name="source">Says what a source was; given its JSON.</param>
    /// <exception cref="StageException">The JSON is not of this kind's parameters.</exception>
    public static object Read(IStageKind kind, JsonObject json, Func<JsonNode, SourcePath> source)
    {
        try
        {
            return Record(kind.ParametersType, json, source);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or JsonException or ArgumentException or OverflowException or NullReferenceException)
        {
            throw new StageException($"these are no parameters of '{kind.Name}' as this program knows it: {e.Message}", e);
        }
    }

    private static object Record(Type type, JsonObject json, Func<JsonNode, SourcePath> source)
    {
        var shape = RecordShape.Of(type);
        if (json.Select(entry => entry.Key).FirstOrDefault(key => shape.Find(key) is null) is { } unknown) throw new FormatException($"there is no '{unknown}'");
        var record = shape.Create();
        foreach (var parameter in shape.Parameters)
        {
            if (!json.TryGetPropertyValue(parameter.Key, out var value) && !parameter.AddedLater) throw new FormatException($"'{parameter.Key}' is missing");
            parameter.Property.SetValue(record, Value(parameter.Value, value, source));
        }

        return record;
    }

    private static object? Value(ValueShape shape, JsonNode? json, Func<JsonNode, SourcePath> source)
    {
        if (json is null) return shape.Nullable ? null : throw new FormatException("a value is missing");
        return shape.Kind switch
        {
            ShapeKind.Text => json.GetValue<string>(),
            ShapeKind.Boolean => json.GetValue<bool>(),
            ShapeKind.Integer => json.GetValue<int>(),
            ShapeKind.Long => json.GetValue<long>(),
            ShapeKind.Number => json.GetValue<double>(),
            ShapeKind.Choice => Enum.GetNames(shape.Type).FirstOrDefault(name => RecordShape.Kebab(name) == json.GetValue<string>()) is { } name
                ? Enum.Parse(shape.Type, name)
                : throw new FormatException($"'{json}' is not a choice"),
            ShapeKind.Source => source(json),
            ShapeKind.List => List(shape, json.AsArray(), source),
            _ => Record(shape.Type, json.AsObject(), source),
        };
    }

    private static object List(ValueShape shape, JsonArray json, Func<JsonNode, SourcePath> source)
    {
        var item = shape.Item!;
        var values = Array.CreateInstance(item.Nullable && item.Type.IsValueType ? typeof(Nullable<>).MakeGenericType(item.Type) : item.Type, json.Count);
        for (var i = 0; i < json.Count; i++) values.SetValue(Value(item, json[i], source), i);
        if (shape.Type.IsInstanceOfType(values) || !shape.Type.IsAssignableTo(typeof(IList))) return values;
        var list = (IList)Activator.CreateInstance(shape.Type)!;
        foreach (var value in values) list.Add(value);
        return list;
    }
}
