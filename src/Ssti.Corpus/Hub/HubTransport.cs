using System.Net;
using System.Net.Http.Headers;

namespace Ssti.Corpus.Hub;

/// <summary>One request to the Hub, with redirects, and repeated while it may yet succeed.</summary>
internal sealed class HubTransport(HubOptions options) : IDisposable
{
    private const int MostRedirects = 10;

    // Redirects are followed by hand: the headers of every hop count, and the token must stay with the endpoint.
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = options.Timeout,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    private volatile bool _answered;

    /// <summary>Whether an error may pass by itself.</summary>
    public static bool IsTransient(Exception error) => error is TransientException or HttpRequestException or IOException or TimeoutException;

    /// <summary>Runs work until it succeeds, fails for good, or has failed too often without progress.</summary>
    /// <param name="what">What the work is, for the log.</param>
    /// <param name="work">Gets nothing, gives a result; transient errors are tried again.</param>
    /// <param name="progress">A number that grows while there is progress, or null.</param>
    /// <param name="cancellation">Stops waiting too.</param>
    /// <param name="retries">How often, where that is less than usual.</param>
    public async Task<T> RetryAsync<T>(string what, Func<Task<T>> work, Func<long>? progress, CancellationToken cancellation, int retries = int.MaxValue)
    {
        var failures = 0;
        var reached = progress?.Invoke() ?? 0;
        while (true)
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception error) when (IsTransient(error) && !cancellation.IsCancellationRequested)
            {
                var now = progress?.Invoke() ?? 0;
                failures = now > reached ? 1 : failures + 1;
                reached = Math.Max(reached, now);
                if (failures > Math.Min(retries, MostFailures(error)))
                    throw new CorpusException($"{what} failed {(failures == 1 ? "" : $"{failures} times, at last ")}with: {error.Message}. {Advice(error)}", error);
                var pause = (error as TransientException)?.RetryAfter ?? TimeSpan.FromSeconds(Math.Min(60, options.Backoff.TotalSeconds * Math.Pow(2, failures - 1)));
                options.Log?.Invoke($"{what}: {error.Message}; trying again in {pause.TotalSeconds:0.#} s");
                await options.Delay(pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    private string Advice(Exception error) => (error as HttpRequestException)?.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError =>
            $"Is there a network here (a proxy is named in HTTPS_PROXY), and is {options.Endpoint} right (HF_ENDPOINT)? With HF_HUB_OFFLINE=1 only the caches are used",
        HttpRequestError.SecureConnectionError =>
            $"The certificate of {options.Endpoint} is not trusted here: is HF_ENDPOINT right, and is there a proxy whose certificate is missing?",
        _ => "Try again later; with HF_HUB_OFFLINE=1 only the caches are used",
    };

    // A name that does not resolve, a certificate that is not trusted and a server that nobody ever heard of seldom mend themselves: the user should not wait a
    // minute to hear of it. One that answered before and refuses now is being started again.
    private int MostFailures(Exception error) => (error as HttpRequestException)?.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => Math.Min(1, options.Retries),
        HttpRequestError.ConnectionError when !_answered => Math.Min(2, options.Retries),
        HttpRequestError.SecureConnectionError => 0,
        _ => options.Retries,
    };

    /// <summary>Sends a request and follows redirects; the caller disposes the response.</summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="uri">An address at the endpoint.</param>
    /// <param name="prepare">Adds headers, on every hop.</param>
    /// <param name="hop">Sees every response, redirects too; true ends the journey there.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri uri, Action<HttpRequestMessage>? prepare,
        Func<HttpResponseMessage, bool>? hop, CancellationToken cancellation)
    {
        for (var hops = 0; hops <= MostRedirects; hops++)
        {
            var request = new HttpRequestMessage(method, uri);
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ssti", "0.1"));
            request.Headers.AcceptEncoding.ParseAdd("identity");
            if (options.Token is { } token && IsEndpoint(uri)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            prepare?.Invoke(request);
            var response = await TimedAsync(_client.SendAsync, request, cancellation).ConfigureAwait(false);
            _answered = true;
            if (hop?.Invoke(response) == true || (int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)) return response;
            var location = response.Headers.Location;
            response.Dispose();
            if (location is null) throw new CorpusException($"{uri} redirects to nowhere: is HF_ENDPOINT the Hub?");
            uri = new Uri(uri, location);
        }

        throw new CorpusException($"{uri} redirects more than {MostRedirects} times");
    }

    /// <summary>Throws a <see cref="TransientException"/> for a status that may pass; returns for any other.</summary>
    public void ThrowIfTransient(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        if (status is not (408 or 425 or 429 or >= 500)) return;
        var after = response.Headers.RetryAfter;
        var pause = after?.Delta ?? (after?.Date is { } date ? date - options.Clock.GetUtcNow() : null);
        if (pause is { } wait) pause = wait < TimeSpan.Zero ? TimeSpan.Zero : wait > TimeSpan.FromMinutes(5) ? TimeSpan.FromMinutes(5) : wait;
        throw new TransientException($"the server answered {status} {response.ReasonPhrase}", pause);
    }

    /// <summary>Reads bytes, with the time-out on each read.</summary>
    public async Task<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.Timeout);
        try
        {
            return await stream.ReadAsync(buffer, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no bytes for {options.Timeout.TotalSeconds:0.#} s", error);
        }
    }

    public void Dispose() => _client.Dispose();

    private bool IsEndpoint(Uri uri) => uri.Scheme == options.Endpoint.Scheme && uri.Authority.Equals(options.Endpoint.Authority, StringComparison.OrdinalIgnoreCase);

    private async Task<HttpResponseMessage> TimedAsync(
        Func<HttpRequestMessage, HttpCompletionOption, CancellationToken, Task<HttpResponseMessage>> send, HttpRequestMessage request, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.Timeout);
        try
        {
            return await send(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer from {request.RequestUri!.Authority} for {options.Timeout.TotalSeconds:0.#} s", error);
        }
    }
}

/// <summary>A failure that may pass by itself.</summary>
internal sealed class TransientException(string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>How long the server asks to wait, or null.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
