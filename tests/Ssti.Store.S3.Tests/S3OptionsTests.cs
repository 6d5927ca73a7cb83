namespace Ssti.Store.S3.Tests;

public sealed class S3OptionsTests
{
    private static readonly Dictionary<string, string?> Least = new()
    {
        ["AWS_ACCESS_KEY_ID"] = "key", ["AWS_SECRET_ACCESS_KEY"] = "hush", ["HOME"] = "/home/someone",
    };

    [Theory]
    [InlineData("s3://artifacts", "artifacts", "", "s3://artifacts")]
    [InlineData("s3://artifacts/", "artifacts", "", "s3://artifacts")]
    [InlineData("S3://my.bucket-1/team/paper/", "my.bucket-1", "team/paper", "s3://my.bucket-1/team/paper")]
    public void A_URL_names_bucket_and_prefix(string url, string bucket, string prefix, string again)
    {
        var options = S3Options.Parse(url, Least);
        Assert.Equal((bucket, prefix, again), (options.Bucket, options.Prefix, options.Url));
    }

    [Fact]
    public void What_is_not_said_has_a_default()
    {
        var options = S3Options.Parse("s3://artifacts", Least);
        Assert.Equal(new Uri("https://s3.us-east-1.amazonaws.com"), options.Endpoint);
        Assert.Equal(("us-east-1", false, 16, 16L << 20), (options.Region, options.CreateBucket, options.Concurrency, options.PartSize));
        Assert.Equal(Path.GetFullPath("/home/someone/.cache/ssti/blobs"), options.Cache);
        Assert.Null(options.SessionToken);
    }

    [Fact]
    public void The_program_s_own_variables_go_before_those_of_AWS()
    {
        var options = S3Options.Parse("s3://artifacts", new Dictionary<string, string?>(Least)
        {
            ["S3__Endpoint"] = "http://127.0.0.1:9000", ["AWS_ENDPOINT_URL"] = "http://elsewhere", ["S3__AccessKey"] = "own", ["S3__SecretKey"] = "own secret",
            ["S3__Region"] = "eu-central-1", ["AWS_REGION"] = "us-west-2", ["S3__CreateBucket"] = "true", ["S3__Concurrency"] = "4", ["S3__PartSize"] = "8MiB",
            ["S3__Timeout"] = "7", ["S3__ConnectTimeout"] = "2", ["S3__Attempts"] = "2", ["S3__Cache"] = "/tmp/cache", ["S3__CacheSize"] = "20GB", ["AWS_SESSION_TOKEN"] = "t",
        });
        Assert.Equal(
            (new Uri("http://127.0.0.1:9000"), "own", "own secret", "eu-central-1", true, 4, 8L << 20),
            (options.Endpoint, options.AccessKey, options.SecretKey, options.Region, options.CreateBucket, options.Concurrency, options.PartSize));
        Assert.Equal(
            (7d, 2d, 2, 20_000_000_000L, "t"),
            (options.Timeout.TotalSeconds, options.ConnectTimeout.TotalSeconds, options.Attempts, options.CacheBytes, options.SessionToken));
    }

    [Fact]
    public void The_variables_of_AWS_will_do()
    {
        var options = S3Options.Parse(
            "s3://artifacts",
            new Dictionary<string, string?>(Least) { ["AWS_ENDPOINT_URL"] = "http://minio:9000/", ["AWS_DEFAULT_REGION"] = "eu-west-1" });
        Assert.Equal(("minio", "eu-west-1"), (options.Endpoint.Host, options.Region));
    }

    [Theory]
    [InlineData("http://artifacts", null, null, "write s3://bucket/prefix")]
    [InlineData("s3://", null, null, "not a bucket name")]
    [InlineData("s3://Artifacts", null, null, "not a bucket name")]
    [InlineData("s3://artifacts/../other", null, null, "not a plain prefix")]
    [InlineData("s3://artifacts/a//b", null, null, "not a plain prefix")]
    [InlineData("s3://artifacts/ä b", null, null, "not a plain prefix")]
    [InlineData("s3://artifacts", "AWS_ACCESS_KEY_ID", " ", "set S3__AccessKey (or AWS_ACCESS_KEY_ID)")]
    [InlineData("s3://artifacts", "AWS_SECRET_ACCESS_KEY", "", "set S3__SecretKey (or AWS_SECRET_ACCESS_KEY)")]
    [InlineData("s3://artifacts", "HOME", null, "set S3__Cache")]
    [InlineData("s3://artifacts", "S3__Endpoint", "127.0.0.1:9000", "such as http://127.0.0.1:9000")]
    [InlineData("s3://artifacts", "S3__Endpoint", "http://host/path", "without a path")]
    [InlineData("s3://artifacts", "S3__Concurrency", "0", "from 1 to 256")]
    [InlineData("s3://artifacts", "S3__Concurrency", "many", "S3__Concurrency is 'many'")]
    [InlineData("s3://artifacts", "S3__PartSize", "1MiB", "from 5 MiB")]
    [InlineData("s3://artifacts", "S3__CacheSize", "99999999999T", "S3__CacheSize")]
    [InlineData("s3://artifacts", "S3__CreateBucket", "perhaps", "true or false")]
    public void What_is_wrong_is_named_with_its_cure(string url, string? name, string? value, string message)
    {
        var environment = new Dictionary<string, string?>(Least);
        if (name is not null) environment[name] = value;
        Assert.Contains(message, Assert.Throws<StoreException>(() => S3Options.Parse(url, environment)).Message);
    }

    [Fact]
    public void The_text_form_hides_the_secret() => Assert.DoesNotContain("hush", S3Options.Parse("s3://artifacts", Least).ToString());
}
