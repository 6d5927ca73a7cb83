using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Ssti.Store.S3;

/// <summary>
/// The plain verbs of a bucket, each with its attempts, its time limit and its errors in words. Keys are relative to the store's prefix.
/// </summary>
internal sealed partial class S3Bucket : IDisposable
{
    /// <summary>The metadata under which an object's SHA-256 is kept where its name does not say it.</summary>
    public const string ContentDigest = "sha256";

    // A wrong address should be told at once; later, when the server is known to be there, patience pays.
    private const int FirstContactAttempts = 3;

    private readonly IAmazonS3 _client;
    private readonly SemaphoreSlim _gate;
    private readonly Retry _retry, _firstContact;
    private readonly string _prefix;
    private readonly Lock _readiness = new();
    private Task? _ready;

    public S3Bucket(S3Options options, TimeProvider time, Func<double> jitter)
    {
        Options = options;
        _client = S3Connection.Open(options);
        _gate = new SemaphoreSlim(options.Concurrency);
        _retry = new Retry(options.Attempts, time, jitter);
        _firstContact = new Retry(Math.Min(FirstContactAttempts, options.Attempts), time, jitter);
        _prefix = options.Prefix.Length == 0 ? "" : options.Prefix + "/";
    }

    public S3Options Options { get; }

    /// <summary>The size of an object; -1 where there is none.</summary>
    public Task<long> SizeAsync(string key, CancellationToken cancellation) => RunAsync($"HEAD {key}", async token =>
    {
        try
        {
            var head = await HeadAsync(key, token).ConfigureAwait(false);
            return head.ContentLength;
        }
        catch (AmazonServiceException e) when (S3Errors.IsNotFound(e))
        {
            return -1;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            if (await IsAbsentAsync(key, token).ConfigureAwait(false)) return -1;
            throw;
        }
        catch (AmazonServiceException e) when (S3Errors.Code(e) is null && !S3Errors.IsTransient(e))
        {
            // An answer to HEAD has no body and so no reason; a listing is refused for the same one, and says it.
            await ListOnceAsync("", null, null, null, 1, token).ConfigureAwait(false);
            throw;
        }
    }, cancellation);

    /// <summary>One page of the objects whose keys begin with <paramref name="prefix"/> and come after <paramref name="after"/>.</summary>
    public Task<S3Page> ListAsync(string prefix, string? after, string? continuation, string? delimiter, CancellationToken cancellation) =>
        RunAsync($"LIST {prefix}", token => ListOnceAsync(prefix, after, continuation, delimiter, Options.PageSize, token), cancellation);

    /// <summary>Every object whose key begins with <paramref name="prefix"/>.</summary>
    public async Task<List<S3Entry>> ListAllAsync(string prefix, CancellationToken cancellation)
    {
        var all = new List<S3Entry>();
        string? next = null;
        do
        {
            var page = await ListAsync(prefix, null, next, null, cancellation).ConfigureAwait(false);
            all.AddRange(page.Entries);
            next = page.Next;
        }
        while (next is not null);
        return all;
    }

    /// <summary>
    /// Reads a range of an object into a sink that knows how far it has come: an attempt that broke off is taken up where it stopped.
    /// </summary>
    /// <returns>The size of the whole object, -1 where there is none.</returns>
    public Task<long> ReadAsync(string key, RangeSink sink, CancellationToken cancellation) => RunAsync($"GET {key}", async (token, touch) =>
    {
        var request = new GetObjectRequest { BucketName = Options.Bucket, Key = _prefix + key, ByteRange = new ByteRange(sink.Next, sink.End - 1) };
        try
        {
            using var response = await _client.GetObjectAsync(request, token).ConfigureAwait(false);
            return await sink.FillAsync(response, touch, token).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (S3Errors.IsNotFound(e))
        {
            return -1;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            if (await IsAbsentAsync(key, token).ConfigureAwait(false)) return -1;
            throw;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && sink.Next == 0)
        {
            // No object has fewer bytes than one, but an empty one.
            return 0;
        }
    }, () => sink.Next, cancellation);

    /// <summary>Reads a small object in whole, with the SHA-256 it was stored with; null where there is none.</summary>
    public Task<(byte[] Content, string? Sha256)?> ReadSmallAsync(string key, CancellationToken cancellation) =>
        RunAsync<(byte[], string?)?>($"GET {key}", (token, touch) => ReadSmallOnceAsync(key, touch, token), null, cancellation);

    private async Task<(byte[] Content, string? Sha256)?> ReadSmallOnceAsync(string key, Action touch, CancellationToken token)
    {
        try
        {
            using var response = await _client.GetObjectAsync(Options.Bucket, _prefix + key, token).ConfigureAwait(false);
            var content = new byte[response.ContentLength];
            for (var at = 0; at < content.Length;)
            {
                var read = await response.ResponseStream.ReadAsync(content.AsMemory(at), token).ConfigureAwait(false);
                if (read == 0) throw new InvalidDataException($"the body ended {content.Length - at} bytes early");
                touch();
                at += read;
            }

            return (content, response.Metadata[ContentDigest]);
        }
        catch (AmazonServiceException e) when (S3Errors.IsNotFound(e))
        {
            return null;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            if (await IsAbsentAsync(key, token).ConfigureAwait(false)) return null;
            throw;
        }
    }

    // To a key that may list its prefix only, a server says of an object that is not there what it says of one that is not the key's: a listing of just that name
    // tells them apart, or says why it is refused.
    private async Task<bool> IsAbsentAsync(string key, CancellationToken token) =>
        (await ListOnceAsync(key, null, null, null, 1, token).ConfigureAwait(false)).Entries.All(entry => entry.Key != key);

    /// <summary>Stores an object in one request; the server checks the body against its signed SHA-256.</summary>
    /// <param name="key">The key.</param>
    /// <param name="content">Opens the content afresh for each attempt; told of each sign of life.</param>
    /// <param name="sha256">Kept with the object, so that a reader can check what it gets; null for an object whose name says it.</param>
    /// <param name="onlyIfAbsent">Whether an object that is there stays (servers that know no conditional put replace it).</param>
    /// <param name="cancellation">Ends it; an object that was not taken in whole does not exist.</param>
    /// <returns>False when there was one, which stays.</returns>
    public Task<bool> PutAsync(string key, Func<Action, Stream> content, string? sha256, bool onlyIfAbsent, CancellationToken cancellation) =>
        RunAsync($"PUT {key}", async (token, touch) =>
        {
            try
            {
                return await PutOnceAsync(key, content(touch), sha256, onlyIfAbsent, token).ConfigureAwait(false);
            }
            catch (AmazonServiceException e) when (onlyIfAbsent && e.StatusCode == HttpStatusCode.NotImplemented)
            {
                return await PutOnceAsync(key, content(touch), sha256, onlyIfAbsent: false, token).ConfigureAwait(false);
            }
        }, null, cancellation);

    /// <summary>Deletes an object, or finds it gone.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellation) => RunAsync($"DELETE {key}", async token =>
    {
        try
        {
            await _client.DeleteObjectAsync(Options.Bucket, _prefix + key, token).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (S3Errors.IsNotFound(e))
        {
            // Some servers say so; the end is the same.
        }

        return true;
    }, cancellation);

    public void Dispose()
    {
        _client.Dispose();
        _gate.Dispose();
    }

    private async Task<bool> PutOnceAsync(string key, Stream content, string? sha256, bool onlyIfAbsent, CancellationToken token)
    {
        await using var stream = content;
        var request = new PutObjectRequest
        {
            BucketName = Options.Bucket, Key = _prefix + key, InputStream = stream, UseChunkEncoding = false,
            ContentType = sha256 is null ? "application/octet-stream" : "application/json",
            IfNoneMatch = onlyIfAbsent ? "*" : null,
        };
        if (sha256 is not null) request.Metadata[ContentDigest] = sha256;
        try
        {
            await _client.PutObjectAsync(request, token).ConfigureAwait(false);
            return true;
        }
        catch (AmazonServiceException e) when (onlyIfAbsent && e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }

    private async Task<S3Page> ListOnceAsync(string prefix, string? after, string? continuation, string? delimiter, int most, CancellationToken token)
    {
        var response = await _client.ListObjectsV2Async(
            new ListObjectsV2Request
            {
                BucketName = Options.Bucket, Prefix = _prefix + prefix, StartAfter = after is null ? null : _prefix + after,
                ContinuationToken = continuation, Delimiter = delimiter, MaxKeys = most,
            },
            token).ConfigureAwait(false);
        // The SDK takes an empty body for an empty listing; a whole one repeats the bucket's name.
        if (response.Name != Options.Bucket) throw new InvalidDataException("the answer is not a listing");
        return new S3Page(
            (response.S3Objects ?? []).ConvertAll(o => new S3Entry(o.Key[_prefix.Length..], o.Size ?? 0, Utc(o.LastModified))),
            (response.CommonPrefixes ?? []).ConvertAll(p => p[_prefix.Length..]),
            response.IsTruncated == true ? response.NextContinuationToken : null);
    }

    private Task<GetObjectMetadataResponse> HeadAsync(string key, CancellationToken token) =>
        _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = Options.Bucket, Key = _prefix + key }, token);

    private Task<T> RunAsync<T>(string what, Func<CancellationToken, Task<T>> action, CancellationToken cancellation) =>
        RunAsync(what, (token, _) => action(token), null, cancellation);

    private async Task<T> RunAsync<T>(string what, Func<CancellationToken, Action, Task<T>> action, Func<long>? progress, CancellationToken cancellation)
    {
        await ReadyAsync(cancellation).ConfigureAwait(false);
        return await _retry.RunAsync(
            token => AttemptAsync(action, token), progress, (e, n) => S3Errors.Explain(Options, what, e, n), cancellation).ConfigureAwait(false);
    }

    // Every request goes through here: so many at once, and none that stands still.
    private async Task<T> AttemptAsync<T>(Func<CancellationToken, Action, Task<T>> action, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        using var watchdog = new Watchdog(Options.Timeout, cancellation);
        try
        {
            return await action(watchdog.Token, watchdog.Touch).ConfigureAwait(false);
        }
        catch (Exception e) when (watchdog.Bit(e))
        {
            throw watchdog.Timeout(e);
        }
        finally
        {
            _gate.Release();
        }
    }

    // HEAD cannot tell a missing bucket from a missing object, so that a mistyped bucket would look like an empty store: asked once, before all else.
    private Task ReadyAsync(CancellationToken cancellation)
    {
        Task ready;
        lock (_readiness)
        {
            if (_ready is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _ready = _firstContact.RunAsync(
                    token => AttemptAsync((inner, _) => ProbeAsync(inner), token), null, (e, n) => S3Errors.Explain(Options, "LIST", e, n), CancellationToken.None);
            }

            ready = _ready;
        }

        return ready.IsCompletedSuccessfully ? Task.CompletedTask : ready.WaitAsync(cancellation);
    }

    private async Task<bool> ProbeAsync(CancellationToken token)
    {
        try
        {
            await ListOnceAsync("", null, null, null, 1, token).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (Options.CreateBucket && S3Errors.Code(e) == "NoSuchBucket")
        {
            try
            {
                await _client.PutBucketAsync(new PutBucketRequest { BucketName = Options.Bucket }, token).ConfigureAwait(false);
            }
            catch (AmazonServiceException already) when (S3Errors.Code(already) is "BucketAlreadyOwnedByYou")
            {
                // Another process was faster.
            }
        }

        return true;
    }
}
