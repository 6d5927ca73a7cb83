using System.ComponentModel;
using Ssti.Corpus.Chat;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>A chat endpoint that speaks OpenAI's interface, or answers recorded from one.</summary>
public sealed record ChatParameters
{
    /// <summary>The base address.</summary>
    [Description("base address of an endpoint that speaks OpenAI's chat interface, such as http://localhost:8000/v1")]
    public string? Endpoint { get; init; }

    /// <summary>Recorded answers.</summary>
    [Description("recorded answers to take instead of asking: the answers.jsonl of an earlier run (ssti export), or the folder it lies in. "
        + "They answer the same model, prompt, temperature and texts only")]
    public SourcePath? Replay { get; init; }

    /// <summary>The model.</summary>
    [Description("name of the model at the endpoint")]
    public required string Model { get; init; }

    /// <summary>The user's message.</summary>
    [Description("message to the model, with {text} where a row's text goes; by default the stage's own")]
    public string? Prompt { get; init; }

    /// <summary>The system message.</summary>
    [Description("system message; by default none")]
    public string? System { get; init; }

    /// <summary>The temperature.</summary>
    [Description("sampling temperature")]
    public double Temperature { get; init; }

    /// <summary>The most tokens of an answer.</summary>
    [Description("most tokens of an answer; one that is cut there is an error")]
    public int MaxTokens { get; init; } = 512;

    /// <summary>Requests at a time.</summary>
    [Description("requests at a time")]
    public int Parallel { get; init; } = 4;

    /// <summary>Retries.</summary>
    [Description("how often a request is tried again where its failure may pass (429, 5xx, a broken or empty answer, none in time)")]
    public int Retries { get; init; } = 5;

    /// <summary>Seconds to wait for an answer.</summary>
    [Description("seconds to wait for an answer")]
    public int TimeoutSeconds { get; init; } = 120;

    /// <summary>Where the key is.</summary>
    [Description("environment variable with the key of the endpoint; without such a variable none is sent. The key itself is never written anywhere")]
    public string ApiKeyVariable { get; init; } = "OPENAI_API_KEY";

    /// <summary>What is wrong with them.</summary>
    internal IEnumerable<ParameterError> Check(string key)
    {
        if (Endpoint is null == Replay is null) yield return new(key, "needs one of 'endpoint' and 'replay'");
        if (Replay is { IsUri: true }) yield return new($"{key}.replay", "is a URI; recorded answers are read from a local file or folder");
        if (Endpoint is not null)
        {
            if (!Uri.TryCreate(Endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                yield return new($"{key}.endpoint", "must be an http or https address, such as http://localhost:8000/v1");
            else if (uri.UserInfo.Length > 0 || uri.Query.Length > 0)
                yield return new($"{key}.endpoint", $"has a user or a query in it, and would stand in keys and records; "
                    + $"put a secret into the environment variable {ApiKeyVariable}");
        }

        if (string.IsNullOrWhiteSpace(Model)) yield return new($"{key}.model", "is empty; name the model");
        if (Prompt is not null && !Prompt.Contains(ChatOptions.Slot)) yield return new($"{key}.prompt", $"has no {ChatOptions.Slot}, where the row's text goes");
        if (Temperature is not (>= 0 and <= 2)) yield return new($"{key}.temperature", "must lie between 0 and 2");
        if (MaxTokens < 1) yield return new($"{key}.max-tokens", "must be at least 1");
        if (Parallel is < 1 or > 256) yield return new($"{key}.parallel", "must lie between 1 and 256");
        if (Retries is < 0 or > 100) yield return new($"{key}.retries", "must lie between 0 and 100");
        if (TimeoutSeconds is < 1 or > 3600) yield return new($"{key}.timeout-seconds", "must lie between 1 and 3600");
        if (string.IsNullOrWhiteSpace(ApiKeyVariable)) yield return new($"{key}.api-key-variable", "is empty; name an environment variable");
    }

    /// <summary>As the client takes them.</summary>
    internal ChatOptions ToOptions(string defaultPrompt, Func<string, string?> environment, Action<string> log) => new()
    {
        Endpoint = Endpoint is null ? null : new Uri(Endpoint),
        Model = Model,
        System = System,
        Prompt = Prompt ?? defaultPrompt,
        Temperature = Temperature,
        MaxTokens = MaxTokens,
        Parallel = Parallel,
        Retries = Retries,
        Timeout = TimeSpan.FromSeconds(TimeoutSeconds),
        ApiKey = environment(ApiKeyVariable),
        ApiKeyVariable = ApiKeyVariable,
        Log = log,
    };
}
