using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Chat;

/// <summary>A request for one text.</summary>
/// <param name="Row">Whose text it is, for people, such as <c>train 17</c>.</param>
/// <param name="Body">What is sent.</param>
/// <param name="Digest">The SHA-256 of that, in hex: the same question has the same digest wherever and whenever it is asked.</param>
public sealed record ChatRequest(string Row, string Body, string Digest)
{
    /// <summary>The request for a text.</summary>
    public static ChatRequest Of(ChatOptions options, string row, string text)
    {
        var messages = new JsonArray();
        if (options.System is { Length: > 0 } system) messages.Add((JsonNode)new JsonObject { ["role"] = "system", ["content"] = system });
        messages.Add((JsonNode)new JsonObject { ["role"] = "user", ["content"] = options.Prompt.Replace(ChatOptions.Slot, text, StringComparison.Ordinal) });
        var body = new JsonObject
        {
            ["model"] = options.Model, ["messages"] = messages, ["temperature"] = options.Temperature, ["max_tokens"] = options.MaxTokens, ["stream"] = false,
        }.ToJsonString();
        return new(row, body, Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(body))));
    }
}

/// <summary>An answer, as it is kept.</summary>
/// <param name="Request">The digest of the request.</param>
/// <param name="Text">What the model wrote.</param>
/// <param name="Served">The model that the endpoint says it was; null where it does not.</param>
public sealed record ChatAnswer(string Request, string Text, string? Served);
