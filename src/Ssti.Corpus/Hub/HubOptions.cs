using System.Globalization;

namespace Ssti.Corpus.Hub;

/// <summary>How to reach the Hugging Face Hub, and where to keep what it gives. Nothing of it is read from the environment later on.</summary>
public sealed record HubOptions
{
    /// <summary>Where the Hub is; a mirror or a server of one's own may stand in (<c>HF_ENDPOINT</c>).</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>The user's access token, or null (<c>HF_TOKEN</c>). Sent to <see cref="Endpoint"/> only, never where it redirects to.</summary>
    public string? Token { get; init; }

    /// <summary>The folder of downloaded files.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Whether to make do with the cache (<c>HF_HUB_OFFLINE</c>).</summary>
    public bool Offline { get; init; }

    /// <summary>How often a request that may succeed later is repeated before it fails; progress in a download starts the count anew.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>The pause before the first repetition; it doubles each time, up to a minute. A server's Retry-After comes first.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait for a response, or for the next bytes of one.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock, for Retry-After dates.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Waits between attempts; tests do not.</summary>
    public Func<TimeSpan, CancellationToken, Task> Delay { get; init; } = Task.Delay;

    /// <summary>Takes a line for the log: retries, resumed downloads.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Takes bytes downloaded, of how many, and of which file.</summary>
    public Action<long, long?, string>? Progress { get; init; }

    /// <summary>
    /// The options that environment variables ask for: <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c>, <c>HF_HUB_OFFLINE</c> (1, on, true, yes), and the
    /// cache in <c>SSTI_CACHE</c>, else <c>$XDG_CACHE_HOME/ssti</c>, else <c>~/.cache/ssti</c>; there it takes the folder <c>hub</c>.
    /// </summary>
    /// <param name="variable">Gives an environment variable, or null.</param>
    /// <param name="home">The user's home folder.</param>
    /// <exception cref="CorpusException"><c>HF_ENDPOINT</c> is not an http address.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> variable, string home)
    {
        var cache = Set("SSTI_CACHE") ?? Path.Combine(Set("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "ssti");
        var options = new HubOptions
        {
            CacheFolder = Path.Combine(cache, "hub"),
            Token = Set("HF_TOKEN")?.Trim(),
            Offline = Set("HF_HUB_OFFLINE")?.ToLower(CultureInfo.InvariantCulture) is "1" or "on" or "true" or "yes",
        };
        if (Set("HF_ENDPOINT") is not { } endpoint) return options;
        return Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? options with { Endpoint = uri }
            : throw new CorpusException($"HF_ENDPOINT is '{endpoint}', which is not an http or https address");

        string? Set(string name) => variable(name) is { Length: > 0 } value ? value : null;
    }
}
