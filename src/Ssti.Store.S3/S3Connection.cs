using Amazon.Runtime;
using Amazon.S3;

namespace Ssti.Store.S3;

/// <summary>Opens the SDK's client with the settings under which it works against every S3 server.</summary>
internal static class S3Connection
{
    public static IAmazonS3 Open(S3Options options)
    {
        AWSCredentials credentials = options.SessionToken is { } token
            ? new SessionAWSCredentials(options.AccessKey, options.SecretKey, token)
            : new BasicAWSCredentials(options.AccessKey, options.SecretKey);
        return new AmazonS3Client(credentials, new AmazonS3Config
        {
            ServiceURL = options.Endpoint.GetLeftPart(UriPartial.Authority),
            ForcePathStyle = true,
            AuthenticationRegion = options.Region,
            // The SDK's newer checksums and its chunked signatures are AWS's own; elsewhere they are refused, or stored as part of the content.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            IgnoreConfiguredEndpointUrls = true,
            // One retry policy, ours (see Retry). A wrong clock is told, not compensated: it would be in every record as well.
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            DisableClockSkewCorrection = true,
            // Time limits are the watchdog's, who knows a slow body from a dead one.
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            HttpClientFactory = new Connections(options),
        });
    }

    private sealed class Connections(S3Options options) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = options.Concurrency,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            // What is left of a body that was given up is not worth waiting for.
            MaxResponseDrainSize = 0,
            AllowAutoRedirect = false,
            UseCookies = false,
        })
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };

        // Shared clients would keep the first store's limits for all others.
        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
    }
}
