using System.Net;
using Amazon.Runtime;
using Amazon.S3.Model;

namespace Ssti.Store.S3;

/// <content>Objects that are put in parts. Until the last verb, nothing of them is to be seen.</content>
internal sealed partial class S3Bucket
{
    /// <summary>Begins a large object that is put in parts.</summary>
    public Task<string> BeginAsync(string key, CancellationToken cancellation) => RunAsync($"POST {key}", async token =>
    {
        var request = new InitiateMultipartUploadRequest { BucketName = Options.Bucket, Key = _prefix + key, ContentType = "application/octet-stream" };
        var id = (await _client.InitiateMultipartUploadAsync(request, token).ConfigureAwait(false)).UploadId;
        return string.IsNullOrEmpty(id) ? throw new InvalidDataException("the answer names no upload") : id;
    }, cancellation);

    /// <summary>Puts one part; parts are counted from 1.</summary>
    public Task<PartETag> PutPartAsync(string key, string upload, int number, Func<Action, Stream> content, CancellationToken cancellation) =>
        RunAsync($"PUT {key} part {number}", async (token, touch) =>
        {
            await using var stream = content(touch);
            var part = await _client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = Options.Bucket, Key = _prefix + key, UploadId = upload, PartNumber = number,
                    InputStream = stream, PartSize = stream.Length, UseChunkEncoding = false,
                },
                token).ConfigureAwait(false);
            return string.IsNullOrEmpty(part.ETag) ? throw new InvalidDataException("the answer names no part") : new PartETag(number, part.ETag);
        }, null, cancellation);

    /// <summary>Makes an object of its parts.</summary>
    /// <param name="key">The key.</param>
    /// <param name="upload">The upload.</param>
    /// <param name="parts">Its parts.</param>
    /// <param name="size">The size it must have then.</param>
    /// <param name="cancellation">Ends it.</param>
    public Task CompleteAsync(string key, string upload, IReadOnlyCollection<PartETag> parts, long size, CancellationToken cancellation) =>
        RunAsync($"POST {key}", token => CompleteOnceAsync(key, upload, parts, size, token), cancellation);

    private async Task<bool> CompleteOnceAsync(string key, string upload, IReadOnlyCollection<PartETag> parts, long size, CancellationToken token)
    {
        try
        {
            var request = new CompleteMultipartUploadRequest { BucketName = Options.Bucket, Key = _prefix + key, UploadId = upload, PartETags = [.. parts] };
            await _client.CompleteMultipartUploadAsync(request, token).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (S3Errors.Code(e) == "NoSuchUpload")
        {
            // An earlier attempt did it, and only its answer was lost.
            var head = await HeadAsync(key, token).ConfigureAwait(false);
            if (head.ContentLength != size) throw;
        }

        return true;
    }

    /// <summary>Throws the parts of an upload away.</summary>
    public Task AbortAsync(string key, string upload, CancellationToken cancellation) => RunAsync($"DELETE {key} upload", async token =>
    {
        try
        {
            await _client.AbortMultipartUploadAsync(Options.Bucket, _prefix + key, upload, token).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // It is gone already.
        }

        return true;
    }, cancellation);

    /// <summary>Uploads that were begun and neither completed nor aborted, with the time they were begun by the server's clock.</summary>
    public async Task<List<(string Key, string Upload, DateTimeOffset Begun)>> UploadsAsync(CancellationToken cancellation)
    {
        var all = new List<(string, string, DateTimeOffset)>();
        var request = new ListMultipartUploadsRequest { BucketName = Options.Bucket, Prefix = _prefix };
        while (true)
        {
            var page = await RunAsync("LIST uploads", token => _client.ListMultipartUploadsAsync(request, token), cancellation).ConfigureAwait(false);
            foreach (var upload in page.MultipartUploads ?? [])
                all.Add((upload.Key[_prefix.Length..], upload.UploadId, Utc(upload.Initiated)));
            if (page.IsTruncated != true) return all;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    // A server that names no time has had it for ever.
    private static DateTimeOffset Utc(DateTime? time) => time is { } at ? new DateTimeOffset(at.ToUniversalTime()) : DateTimeOffset.MinValue;
}
