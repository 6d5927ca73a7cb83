using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Nets;

/// <summary>Settings as people's editors leave them: one JSON object in UTF-8, with or without a byte order mark.</summary>
public static class JsonFile
{
    // A key that stands twice has two values, and which one is meant nobody knows.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    // Tokens have < and letters of all languages in them, and messages show them as they are.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value as a message shows it.</summary>
    public static string Text(JsonNode? value) => value?.ToJsonString(Plain) ?? "null";

    /// <summary>Reads a file.</summary>
    /// <exception cref="JsonException">It is no JSON object, or a key stands twice in it, at any depth.</exception>
    public static JsonObject Object(string path)
    {
        var bytes = File.ReadAllBytes(path).AsSpan();
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        return JsonNode.Parse(bytes, documentOptions: Strict) as JsonObject ?? throw new JsonException("it is not an object");
    }
}
