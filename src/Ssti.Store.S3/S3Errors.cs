using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Xml;
using Amazon.Runtime;

namespace Ssti.Store.S3;

/// <summary>Says which failures are worth another attempt, and in words what the others mean and what to do about them.</summary>
internal static class S3Errors
{
    private static readonly string[] TransientCodes =
    [
        // What servers say of a body that was cut off or altered on its way up.
        "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "RequestTimeout",
        "InternalError", "ServiceUnavailable", "SlowDown", "Throttling", "OperationAborted",
    ];

    /// <summary>Whether another attempt may succeed.</summary>
    public static bool IsTransient(Exception error) => error switch
    {
        StoreException => false,
        AmazonServiceException service when Code(service) is { } code && TransientCodes.Contains(code) => true,
        AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented or HttpStatusCode.InsufficientStorage } => false,
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } => true,
        AmazonServiceException { StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout } => true,
        AmazonServiceException { StatusCode: not 0 } => error is AmazonUnmarshallingException,
        AmazonServiceException or AmazonClientException => error.InnerException is null || IsTransient(error.InnerException),
        HttpRequestException => Find<AuthenticationException>(error) is null,
        InvalidDataException or IOException or SocketException or TimeoutException or XmlException => true,
        _ => false,
    };

    /// <summary>Whether the server says that there is no such object, or no bucket either.</summary>
    public static bool IsNotFound(AmazonServiceException error) =>
        error.StatusCode == HttpStatusCode.NotFound && Code(error) is not "NoSuchBucket";

    /// <summary>The server's own word for the error; null for an answer without a body, as all answers to HEAD are.</summary>
    public static string? Code(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 } code && code != error.StatusCode.ToString() ? code : null;

    /// <summary>What to tell the user.</summary>
    /// <param name="options">The store.</param>
    /// <param name="what">What was being done, such as <c>GET cas/ab/…</c>.</param>
    /// <param name="error">What came of it.</param>
    /// <param name="attempts">How often it was tried.</param>
    public static StoreException Explain(S3Options options, string what, Exception error, int attempts)
    {
        if (error is StoreException already) return already;
        var server = $"the S3 server {options.Endpoint.GetLeftPart(UriPartial.Authority)}";
        var tried = attempts > 1 ? $" ({attempts} attempts)" : "";
        var text = error is AmazonServiceException { StatusCode: not 0 } service
            ? Answered(options, server, what, service, tried)
            : Unanswered(options, server, what, error, tried);
        // Told apart from what may pass: who may only read is asked nothing that needs more.
        var isForbidden = error is AmazonServiceException { StatusCode: HttpStatusCode.Forbidden } forbidden
            && Code(forbidden) is null or "AccessDenied" or "AllAccessDisabled";
        return new StoreException(text, isForbidden ? new UnauthorizedAccessException(text, error) : error);
    }

    private static string Answered(S3Options options, string server, string what, AmazonServiceException error, string tried)
    {
        var status = (int)error.StatusCode;
        var code = Code(error) ?? status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return code switch
        {
            "InvalidAccessKeyId" or "InvalidToken" or "ExpiredToken" =>
                $"{server} does not know the access key '{options.AccessKey}' ({code}); check S3__AccessKey or AWS_ACCESS_KEY_ID"
                + (options.SessionToken is null ? "" : " and AWS_SESSION_TOKEN, which expires"),
            "SignatureDoesNotMatch" =>
                $"{server} does not accept the secret of the access key '{options.AccessKey}' ({code}); check S3__SecretKey or AWS_SECRET_ACCESS_KEY",
            "RequestTimeTooSkewed" or "RequestExpired" =>
                $"{server} refuses requests because the clock of this machine is more than its tolerance (commonly 15 minutes) away from its own ({code}); "
                + "set the clock, for example with 'timedatectl set-ntp true', and run again",
            "NoSuchBucket" =>
                $"{server} has no bucket '{options.Bucket}'; correct {options.Url}, create the bucket, or set S3__CreateBucket=true to have it created",
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" or "301" =>
                $"{server} does not serve the bucket '{options.Bucket}' for the region '{options.Region}' ({code}); "
                + "set S3__Region or AWS_REGION to the bucket's region",
            "BucketAlreadyExists" => $"{server} has a bucket '{options.Bucket}' of another owner; choose another name",
            "QuotaExceeded" or "XMinioStorageFull" or "InsufficientStorage" or "507" =>
                $"{server} has no room left for {options.Url} ({code}); free some ('ssti gc') or raise its quota, and run again: what is finished is kept",
            "AccessDenied" or "AllAccessDisabled" or "403" =>
                $"{server} does not let the access key '{options.AccessKey}' do {what} ({code}); it needs to list, read, write and delete in {options.Url}",
            _ when IsTransient(error) =>
                $"{server} is in trouble: it answered {status} ({code}) to {what}{tried}; try again later: what is finished is kept",
            _ => $"{server} refused {what}: {status} {code}{(string.IsNullOrWhiteSpace(error.Message) ? "" : $", {error.Message.Trim()}")}{tried}",
        };
    }

    private static string Unanswered(S3Options options, string server, string what, Exception error, string tried)
    {
        if (Find<AuthenticationException>(error) is { } tls)
        {
            return tls.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
                ? $"the certificate of {server} is not trusted ({tls.Message}); add its authority to the system's, or name its file in SSL_CERT_FILE"
                : $"{server} does not speak TLS as expected ({tls.Message}); if it serves plain HTTP, write http:// in S3__Endpoint";
        }

        if (Find<SocketException>(error) is { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostNotFound or SocketError.TryAgain
            or SocketError.NoData or SocketError.HostUnreachable or SocketError.NetworkUnreachable } unreachable)
        {
            return $"{server} cannot be reached ({unreachable.Message}){tried}; is it running, and is S3__Endpoint or AWS_ENDPOINT_URL right?";
        }

        if (Find<TimeoutException>(error) is not null)
        {
            return $"{server} did not answer {what} in time ({error.Message}){tried}; "
                + $"try again later, or raise S3__Timeout (now {options.Timeout.TotalSeconds:0.#} s)";
        }

        return $"the connection to {server} failed during {what}: {Innermost(error).Message}{tried}; try again: what is finished is kept";
    }

    private static T? Find<T>(Exception error) where T : Exception
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (e is T found) return found;
        }

        return null;
    }

    private static Exception Innermost(Exception error)
    {
        while (error.InnerException is { } inner) error = inner;
        return error;
    }
}
