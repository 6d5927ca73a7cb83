using System.Collections;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Ssti.Cluster.Security;
using StackExchange.Redis;

namespace Ssti.Cluster;

/// <summary>What a silo is told by configuration: environment variables such as <c>ConnectionStrings__redis</c>, the command line, appsettings.json.</summary>
public sealed record ClusterSettings
{
    /// <summary>Membership in Redis (<c>ConnectionStrings:redis</c>), or null for clustering without it on this machine.</summary>
    public ConfigurationOptions? Redis { get; init; }

    /// <summary>How connections are protected (<c>Ssti:Tls:*</c>, <c>Ssti:Insecure</c>).</summary>
    public ClusterSecurity Security { get; init; } = new();

    /// <summary>Clusters on one Redis are told apart by this (<c>Ssti:ClusterId</c>).</summary>
    public string ClusterId { get; init; } = "ssti";

    /// <summary>The folder of a shared file store (<c>Ssti:Store</c>); null where artifacts are in S3.</summary>
    public string? Store { get; init; }

    /// <summary>The variables that say where S3 is (<c>S3:Bucket</c> and others); null where artifacts are in a folder.</summary>
    public IReadOnlyDictionary<string, string?>? S3 { get; init; }

    /// <summary>This machine's folder for stages at work and for cached blobs (<c>Ssti:Cache</c>); null for the shared folder itself.</summary>
    public string? Cache { get; init; }

    /// <summary>Job slots of the silo (<c>Ssti:Jobs</c>); a stage with tensors on the CPU takes as many as its compute threads.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>GPUs of the silo (<c>Ssti:Gpus</c>); null for one where the machine has a usable one.</summary>
    public int? Gpus { get; init; }

    /// <summary>How many stages each GPU of the silo is given to at once (<c>Ssti:PerGpu</c>).</summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>The silo's port (<c>Ssti:SiloPort</c>), or 0 for a free one.</summary>
    public int SiloPort { get; init; }

    /// <summary>The port for submitters (<c>Ssti:GatewayPort</c>), or 0 for a free one.</summary>
    public int GatewayPort { get; init; }

    /// <summary>The address that others reach this silo at (<c>Ssti:Address</c>); null to find it out.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Without Redis, the silo that the others join (<c>Ssti:Primary</c>, host and silo port); null to be it.</summary>
    public IPEndPoint? Primary { get; init; }

    /// <summary>How often checkpoints are copied to the store, where the work folder is not shared (<c>Ssti:CheckpointSeconds</c>).</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a silo may leave a probe unanswered; the third in a row is its death (<c>Ssti:ProbeSeconds</c>). Longer where machines are so busy that
    /// living silos miss it: one that is declared dead ends its process.
    /// </summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long work goes on when no submitter asks for it any more (<c>Ssti:LeaseSeconds</c>).</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The private key that signs what this silo records (<c>Ssti:SigningKey</c>, PEM); null for none.</summary>
    public string? SigningKey { get; init; }

    /// <summary>Whose records this silo takes (<c>Ssti:Trust</c>), by the names of keys in <c>SSTI_KEYS</c>; none for everybody's.</summary>
    public IReadOnlyList<string> Trust { get; init; } = [];

    /// <summary>Reads the settings.</summary>
    /// <exception cref="ClusterException">A value is malformed, or there is no store.</exception>
    public static ClusterSettings From(IConfiguration configuration)
    {
        var s3 = configuration["S3:Bucket"] is { Length: > 0 } ? S3Variables(configuration) : null;
        var store = Text(configuration, "Ssti:Store");
        if (s3 is null && store is null)
            throw new ClusterException("there is no store: set Ssti__Store to a folder that every service and submitter shares, "
                + "or S3__Endpoint, S3__Bucket, S3__AccessKey and S3__SecretKey");
        return new ClusterSettings
        {
            Redis = configuration.GetConnectionString("redis") is { Length: > 0 } redis ? ParseRedis(redis, Variable) : null,
            Security = ClusterSecurity.From(Variable),
            ClusterId = Text(configuration, "Ssti:ClusterId") ?? "ssti",
            Store = s3 is null ? Path.GetFullPath(store!) : null,
            S3 = s3,
            Cache = Text(configuration, "Ssti:Cache") is { } cache ? Path.GetFullPath(cache) : null,
            Jobs = Number(configuration, "Ssti:Jobs", 1, 4096) ?? Environment.ProcessorCount,
            Gpus = Number(configuration, "Ssti:Gpus", 0, 1024),
            PerGpu = Number(configuration, "Ssti:PerGpu", 1, 64) ?? 1,
            SiloPort = Number(configuration, "Ssti:SiloPort", 0, 65535) ?? 0,
            GatewayPort = Number(configuration, "Ssti:GatewayPort", 0, 65535) ?? 0,
            Address = Text(configuration, "Ssti:Address") is { } address ? Parse<IPAddress>(address, "Ssti:Address", IPAddress.TryParse, "an IP address") : null,
            Primary = Text(configuration, "Ssti:Primary") is { } primary
                ? Parse<IPEndPoint>(primary, "Ssti:Primary", IPEndPoint.TryParse, "an IP address with a port") : null,
            SigningKey = Text(configuration, "Ssti:SigningKey"),
            Trust = Text(configuration, "Ssti:Trust")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
            CheckpointEvery = TimeSpan.FromSeconds(Number(configuration, "Ssti:CheckpointSeconds", 1, 86400) ?? 15),
            Probe = TimeSpan.FromSeconds(Number(configuration, "Ssti:ProbeSeconds", 1, 600) ?? 1),
            Lease = TimeSpan.FromSeconds(Number(configuration, "Ssti:LeaseSeconds", 5, 86400) ?? 30),
        };

        string? Variable(string name) => configuration[name.Replace("__", ":")];
    }

    /// <summary>Reads a Redis connection string, and the files of its TLS beside it: those of an authority of one's own, which no string has room for.</summary>
    /// <param name="text">The string: <c>host:port,user=…,password=…,ssl=true</c>.</param>
    /// <param name="variables">
    /// Gives <c>Ssti__Redis__Authority</c>, <c>Ssti__Redis__Certificate</c> and <c>Ssti__Redis__Key</c>, and <c>Ssti__Redis__Password</c>, for one that is to
    /// stand on no command line; or null.
    /// </param>
    /// <exception cref="ClusterException">It is none, or a file cannot be used. No message has the string's password.</exception>
    public static ConfigurationOptions ParseRedis(string text, Func<string, string?>? variables = null)
    {
        string? Given(string name) => variables?.Invoke(name) is { Length: > 0 } value ? value : null;
        try
        {
            var options = ConfigurationOptions.Parse(text);
            if (options.EndPoints.Count == 0) throw new ArgumentException("it names no server");
            if (string.IsNullOrEmpty(options.Password) && Given("Ssti__Redis__Password") is { } password) options.Password = password;
            if (Given("Ssti__Redis__Authority") is { } authority) options.TrustIssuer(authority);
            if (Given("Ssti__Redis__Certificate") is { } certificate) options.SetUserPemCertificate(certificate, Given("Ssti__Redis__Key"));
            // Redis may be away for a while, at the start or later: membership is asked for again.
            options.AbortOnConnectFail = false;
            return options;
        }
        catch (ArgumentException e)
        {
            // What the library quotes may be a piece of the password.
            throw new ClusterException($"'{Shown(text)}' is not a Redis connection string; write host:port, with options after commas (user=…, password=…, ssl=true; "
                + "a password with a comma in it cannot be written here)", Redacted(e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new ClusterException($"a file of Redis's TLS (Ssti__Redis__Authority, Ssti__Redis__Certificate, Ssti__Redis__Key) cannot be used: {e.Message}", e);
        }
    }

    /// <summary>The servers of a connection string: all of it that may be shown.</summary>
    internal static string Shown(string text)
    {
        var servers = text.Split(',').TakeWhile(part => !part.Contains('=')).Select(part => part.Trim()).ToList();
        // redis://user:password@host is no form that is read here, and written all the same.
        return servers.Count == 0 ? "…" : string.Join(',', servers.Select(server => server[(server.LastIndexOf('@') + 1)..]));
    }

    private static ArgumentException Redacted(ArgumentException error) => new(error.GetType().Name);

    // As environment variables are named, since that is how a store is told; configuration has them with colons.
    private static Dictionary<string, string?> S3Variables(IConfiguration configuration)
    {
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value);
        foreach (var (name, value) in configuration.GetSection("S3").AsEnumerable().Where(entry => entry.Value is not null)) variables[name.Replace(":", "__")] = value;
        return variables;
    }

    private static string? Text(IConfiguration configuration, string name) => configuration[name] is { Length: > 0 } text ? text.Trim() : null;

    private static int? Number(IConfiguration configuration, string name, int least, int most)
    {
        if (Text(configuration, name) is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ClusterException($"{name.Replace(":", "__")} is '{text}'; write a whole number from {least} to {most}");
    }

    private delegate bool TryParse<T>(string text, out T? value);

    private static T Parse<T>(string text, string name, TryParse<T> parse, string what) =>
        parse(text, out var value) ? value! : throw new ClusterException($"{name.Replace(":", "__")} is '{text}'; write {what}");
}
