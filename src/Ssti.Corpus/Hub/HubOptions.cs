namespace Ssti.Corpus.Hub;

/// <summary>How to reach the Hugging Face Hub, and where to keep what it gives. Nothing of it is read from the environment later on.</summary>
public sealed record HubOptions
{
    /// <summary>Where the Hub is; a mirror or a server of one's own may stand in (<c>HF_ENDPOINT</c>).</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>The user's access token, or null. Sent to <see cref="Endpoint"/> only, never where it redirects to.</summary>
    public string? Token { get; init; }

    /// <summary>Where the token comes from, or why there is none, for messages.</summary>
    public string TokenOrigin { get; init; } = "set HF_TOKEN";

    /// <summary>The folder of downloaded files.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Hugging Face's own cache, where files are looked for before they are fetched; null for none. Nothing is written to it.</summary>
    public string? HuggingFaceFolder { get; init; }

    /// <summary>How long what a branch or tag meant is taken to hold before the Hub is asked again.</summary>
    public TimeSpan MostAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether to make do with the cache (<c>HF_HUB_OFFLINE</c>).</summary>
    public bool Offline { get; init; }

    /// <summary>The user's folder, whether it is there or not: an empty name would put the caches into the working folder.</summary>
    public static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);

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
    /// The options that environment variables ask for, as Hugging Face's own client reads them: <c>HF_ENDPOINT</c>; <c>HF_TOKEN</c>, else
    /// <c>HUGGING_FACE_HUB_TOKEN</c>, else the file that <c>hf auth login</c> writes (<c>HF_TOKEN_PATH</c>, else <c>token</c> in <c>HF_HOME</c>);
    /// <c>HF_HUB_DISABLE_IMPLICIT_TOKEN</c>; <c>HF_HUB_OFFLINE</c>; and its cache in <c>HF_HUB_CACHE</c>, else <c>HUGGINGFACE_HUB_CACHE</c>, else <c>hub</c> in
    /// <c>HF_HOME</c>, which is <c>huggingface</c> in <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>. The cache of our own is <c>hub</c> in <c>SSTI_CACHE</c>, else in
    /// <c>$XDG_CACHE_HOME/ssti</c>, else in <c>~/.cache/ssti</c>.
    /// </summary>
    /// <param name="variable">Gives an environment variable, or null.</param>
    /// <param name="home">The user's home folder.</param>
    /// <exception cref="CorpusException"><c>HF_ENDPOINT</c> is not an http address.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> variable, string home)
    {
        var caches = Folder("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache");
        var huggingFace = Folder("HF_HOME") ?? Path.Combine(caches, "huggingface");
        var (token, origin) = TokenOf(Folder("HF_TOKEN_PATH") ?? Path.Combine(huggingFace, "token"));
        var options = new HubOptions
        {
            CacheFolder = Path.Combine(Folder("SSTI_CACHE") ?? Path.Combine(caches, "ssti"), "hub"),
            HuggingFaceFolder = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(huggingFace, "hub"),
            Token = token,
            TokenOrigin = origin,
            Offline = IsOn("HF_HUB_OFFLINE") || IsOn("TRANSFORMERS_OFFLINE"),
        };
        if (Set("HF_ENDPOINT") is not { } endpoint) return options;
        // It stands in messages, and in records as where a source came from.
        if (endpoint.Contains('@', StringComparison.Ordinal)) throw new CorpusException("HF_ENDPOINT has a user or password in it; a token goes into HF_TOKEN");
        return Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? options with { Endpoint = uri }
            : throw new CorpusException($"HF_ENDPOINT is '{endpoint}', which is not an http or https address");

        string? Set(string name) => variable(name) is { Length: > 0 } value ? value : null;

        bool IsOn(string name) => Set(name)?.ToUpperInvariant() is "1" or "ON" or "TRUE" or "YES";

        string? Folder(string name) => Set(name) is { } path ? path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? home + path[1..] : path : null;

        (string? Token, string Origin) TokenOf(string file)
        {
            if (IsOn("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return (null, "HF_HUB_DISABLE_IMPLICIT_TOKEN keeps tokens from being sent: unset it");
            foreach (var name in new[] { "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN" })
                if (Clean(variable(name)) is { } set) return (set, name);
            try
            {
                if (File.Exists(file) && Clean(File.ReadAllText(file)) is { } kept) return (kept, file);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Most runs need no token: whoever does is told then.
                return (null, $"the token file {file} cannot be read ({error.Message}): make it readable, or set HF_TOKEN");
            }

            return (null, $"log in with 'hf auth login' (it leaves {file}), or set HF_TOKEN");
        }
    }

    private static string? Clean(string? token) => token?.Replace("\r", "").Replace("\n", "").Trim() is { Length: > 0 } clean ? clean : null;
}
