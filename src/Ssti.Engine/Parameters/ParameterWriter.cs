using System.Collections;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Parameters;

/// <summary>Writes a parameter record as it stands in a key document: every parameter, defaults included, but for those added later that have no value.</summary>
public static class ParameterWriter
{
    /// <summary>The JSON of a record.</summary>
    /// <param name="record">The parameters.</param>
    /// <param name="source">How a source is written.</param>
    public static JsonObject Write(object record, Func<SourcePath, JsonNode?> source)
    {
        var json = new JsonObject();
        foreach (var parameter in RecordShape.Of(record.GetType()).Parameters)
        {
            var value = parameter.Property.GetValue(record);
            if (value is not null || !parameter.AddedLater) json[parameter.Key] = Write(parameter.Value, value, source);
        }

        return json;
    }

    /// <summary>Every source among the parameters.</summary>
    public static IReadOnlyList<SourcePath> Sources(object record)
    {
        var found = new List<SourcePath>();
        Write(record, path =>
        {
            found.Add(path);
            return null;
        });
        return found;
    }

    private static JsonNode? Write(ValueShape shape, object? value, Func<SourcePath, JsonNode?> source)
    {
        if (value is null) return null;
        return shape.Kind switch
        {
            ShapeKind.Text => JsonValue.Create((string)value),
            ShapeKind.Boolean => JsonValue.Create((bool)value),
            ShapeKind.Integer => JsonValue.Create((int)value),
            ShapeKind.Long => JsonValue.Create((long)value),
            ShapeKind.Number => JsonValue.Create((double)value),
            ShapeKind.Choice => JsonValue.Create(RecordShape.Kebab(value.ToString()!)),
            ShapeKind.Source => source((SourcePath)value),
            ShapeKind.List => new JsonArray([.. ((IEnumerable)value).Cast<object?>().Select(item => Write(shape.Item!, item, source))]),
            _ => Write(value, source),
        };
    }
}
