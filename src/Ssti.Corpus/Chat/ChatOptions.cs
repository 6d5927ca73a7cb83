namespace Ssti.Corpus.Chat;

/// <summary>What is asked of a chat endpoint. All of it but the endpoint and how it is reached stands in <see cref="ChatRequest.Digest"/>.</summary>
public sealed record ChatOptions
{
    /// <summary>Where a text goes into <see cref="Prompt"/>.</summary>
    public const string Slot = "{text}";

    /// <summary>The base address, as clients of OpenAI's interface take it, such as <c>http://localhost:8000/v1</c>; null where only recorded answers are taken.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The model's name at the endpoint.</summary>
    public required string Model { get; init; }

    /// <summary>The system message; null for none.</summary>
    public string? System { get; init; }

    /// <summary>The user's message, with <see cref="Slot"/> where the text goes.</summary>
    public required string Prompt { get; init; }

    /// <summary>The sampling temperature.</summary>
    public double Temperature { get; init; }

    /// <summary>The most tokens of an answer.</summary>
    public int MaxTokens { get; init; } = 512;

    /// <summary>Requests at a time.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>How often a request is tried again where its failure may pass.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>The pause before the first retry; each further one is twice as long, up to a minute.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The key that is sent as a bearer token; null for none. It is in no message and no file.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The environment variable that the key was read from, for advice.</summary>
    public string ApiKeyVariable { get; init; } = "OPENAI_API_KEY";

    /// <summary>Takes lines for people.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Not of what is asked: a record with a key must not print it.</summary>
    public override string ToString() => $"{Model} at {Endpoint?.GetLeftPart(UriPartial.Path) ?? "no endpoint"}";
}
