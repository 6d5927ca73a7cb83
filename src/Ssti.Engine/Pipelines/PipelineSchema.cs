using System.Text.Json.Nodes;
using Ssti.Engine.Parameters;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Pipelines;

/// <summary>
/// The pipeline format as JSON Schema (draft 2020-12), made from the stage kinds themselves: editors complete and check pipelines with it,
/// and help texts come from it.
/// </summary>
public static class PipelineSchema
{
    private const string Expression = "expression";

    /// <summary>The schema of a pipeline whose stages are of these kinds.</summary>
    public static JsonObject Of(StageCatalog catalog) => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "SstiPipeline pipeline",
        ["type"] = "object",
        ["required"] = new JsonArray("stages"),
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject
        {
            ["name"] = Text("name of the pipeline and of its history; by default the file's"),
            ["description"] = Text("what it is about"),
            ["params"] = Described(new JsonObject { ["type"] = "object" }, "values that stages use as ${{ params.x }}, and --set params.x=... replaces"),
            ["seed"] = Described(OrExpression(new JsonObject { ["type"] = "integer", ["minimum"] = 0 }), "seed that all stages' seeds derive from"),
            ["compute"] = Record(typeof(ComputeBlock), "what stages compute with"),
            ["profiles"] = Profiles(),
            ["include"] = Described(ListOf(new JsonObject { ["type"] = "string" }), "files whose stages and params are taken in, relative to this one"),
            ["stages"] = new JsonObject
            {
                ["type"] = "object",
                ["minProperties"] = 1,
                ["propertyNames"] = new JsonObject { ["pattern"] = "^[A-Za-z][A-Za-z0-9_-]*$" },
                ["additionalProperties"] = new JsonObject { ["$ref"] = "#/$defs/stage" },
            },
        },
        ["$defs"] = new JsonObject
        {
            [Expression] = new JsonObject { ["type"] = "string", ["pattern"] = "\\$\\{\\{.*\\}\\}" },
            ["stage"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("uses"),
                ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["enum"] = new JsonArray([.. catalog.Kinds.Select(kind => JsonValue.Create(kind.Name))]) } },
                ["allOf"] = new JsonArray([.. catalog.Kinds.Select(kind => new JsonObject
                {
                    ["if"] = new JsonObject { ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["const"] = kind.Name } } },
                    ["then"] = new JsonObject { ["$ref"] = $"#/$defs/{kind.Name}" },
                })]),
            },
        }.With(catalog.Kinds.Select(kind => (kind.Name, Stage(kind)))),
    };

    /// <summary>The part of the schema that describes what stands under <c>with:</c> for a kind: its parameters, with types, defaults and descriptions.</summary>
    public static JsonObject ParametersOf(IStageKind kind) => Record(kind.ParametersType, null);

    private static JsonObject Profiles() => new()
    {
        ["type"] = "object",
        ["description"] = "other values of params by name, for 'ssti run --profile smoke'",
        ["propertyNames"] = new JsonObject { ["pattern"] = "^[A-Za-z][A-Za-z0-9_-]*$" },
        ["additionalProperties"] = new JsonObject
        {
            ["type"] = new JsonArray("object", "null"),
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["description"] = Text("what it is for"),
                ["params"] = Described(new JsonObject { ["type"] = "object" }, "values in place of those under params, which has the same names"),
            },
        },
    };

    private static JsonObject Stage(IStageKind kind) => new()
    {
        ["description"] = kind.Summary,
        ["additionalProperties"] = false,
        ["required"] = Names(
        [
            "uses",
            .. kind.Inputs.Any(input => input.Required) ? new[] { "needs" } : [],
            .. RecordShape.Of(kind.ParametersType).Parameters.Any(parameter => parameter.Required) ? new[] { "with" } : [],
        ]),
        ["properties"] = new JsonObject
        {
            ["uses"] = new JsonObject { ["const"] = kind.Name },
            ["description"] = Text("what the stage is for"),
            ["needs"] = Needs(kind),
            ["with"] = ParametersOf(kind),
            ["matrix"] = Described(
                new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("array", "object", "string") } },
                "dimensions with their values, or with named cells of fields; the stage runs once for each combination"),
            ["seed"] = Described(OrExpression(new JsonObject { ["type"] = "integer", ["minimum"] = 0 }), "seed of this stage, in place of the derived one"),
            ["compute"] = Record(typeof(ComputeBlock), "what this stage computes with"),
            ["salt"] = Described(new JsonObject { ["type"] = new JsonArray("string", "number") }, "any text: another one gives the stage another key"),
            ["retries"] = Described(OrExpression(new JsonObject { ["type"] = "integer", ["minimum"] = 0, ["maximum"] = 100 }), "how often a failed attempt is repeated"),
            ["timeout"] = Text("longest time of an attempt, such as 90s, 15m or 2h"),
            ["resources"] = Record(typeof(ResourcesBlock), "what it takes of the machine"),
        },
    };

    private static JsonObject Needs(IStageKind kind) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = Names(kind.Inputs.Where(input => input.Required).Select(input => input.Name)),
        ["properties"] = new JsonObject(kind.Inputs.Select(input => KeyValuePair.Create(input.Name, (JsonNode?)Described(
            input.Many ? OneOrMany(new JsonObject { ["type"] = "string" }) : new JsonObject { ["type"] = "string" }, input.Summary)))),
    };

    private static JsonObject Record(Type type, string? description)
    {
        var shape = RecordShape.Of(type);
        var defaults = shape.Create();
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject(shape.Parameters.Select(parameter => KeyValuePair.Create(parameter.Key, (JsonNode?)Parameter(parameter, defaults)))),
        };
        if (shape.Parameters.Any(parameter => parameter.Required))
            schema["required"] = Names(shape.Parameters.Where(parameter => parameter.Required).Select(parameter => parameter.Key));
        return Described(schema, description);
    }

    private static JsonObject Parameter(ParameterShape parameter, object defaults)
    {
        var schema = Described(Value(parameter.Value), parameter.Description);
        // A record's defaults stand at its own keys; a source has none that would mean anything elsewhere.
        if (!parameter.Required && parameter.Value.Kind is not (ShapeKind.Record or ShapeKind.Source) && parameter.Property.GetValue(defaults) is not null)
            schema["default"] = ParameterWriter.Write(defaults, _ => null)[parameter.Key]?.DeepClone();
        return schema;
    }

    private static JsonObject Value(ValueShape shape)
    {
        var schema = shape.Kind switch
        {
            // A text may be written without quotes even where it looks like a number.
            ShapeKind.Text => new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") },
            ShapeKind.Source => Typed("string"),
            ShapeKind.Boolean => OrExpression(Typed("boolean")),
            ShapeKind.Integer or ShapeKind.Long => OrExpression(Typed("integer")),
            ShapeKind.Number => OrExpression(Typed("number")),
            ShapeKind.Choice => OrExpression(new JsonObject { ["enum"] = Names(Enum.GetNames(shape.Type).Select(RecordShape.Kebab)) }),
            ShapeKind.List => OrExpression(ListOf(Value(shape.Item!))),
            _ => Record(shape.Type, null),
        };
        return shape.Nullable ? new JsonObject { ["anyOf"] = new JsonArray(schema, Typed("null")) } : schema;
    }

    private static JsonObject Typed(string type) => new() { ["type"] = type };

    private static JsonObject ListOf(JsonObject item) => new() { ["type"] = "array", ["items"] = item };

    private static JsonObject OneOrMany(JsonObject item) => new() { ["anyOf"] = new JsonArray(item.DeepClone(), ListOf(item)) };

    private static JsonObject OrExpression(JsonObject schema) =>
        new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["$ref"] = $"#/$defs/{Expression}" }) };

    private static JsonObject Text(string description) => Described(new JsonObject { ["type"] = "string" }, description);

    private static JsonObject Described(JsonObject schema, string? description)
    {
        if (description is not null) schema["description"] = description;
        return schema;
    }

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(name => JsonValue.Create(name))]);

    private static JsonObject With(this JsonObject schema, IEnumerable<(string Name, JsonObject Schema)> more)
    {
        foreach (var (name, part) in more) schema[name] = part;
        return schema;
    }
}
