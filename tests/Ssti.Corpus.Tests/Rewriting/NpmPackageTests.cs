using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ssti.Corpus.Rewriting;

namespace Ssti.Corpus.Tests.Rewriting;

public sealed class NpmPackageTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HttpListener _registry = new();
    private readonly string _address;
    private readonly byte[] _archive = Archive();
    private string _integrity;

    public NpmPackageTests()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            _address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
        }

        _integrity = "sha512-" + Convert.ToBase64String(SHA512.HashData(_archive));
        _registry.Prefixes.Add(_address);
        _registry.Start();
        _ = Task.Run(ServeAsync);
    }

    public void Dispose()
    {
        _registry.Close();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("npm://dictionary-en/4.0.0", true)]
    [InlineData("npm://dictionary-en", false)]
    [InlineData("npm://dictionary-en/", false)]
    [InlineData("npm://a/1.0.0/b", false)]
    [InlineData("npm://a?b/1.0.0", false)]
    [InlineData("hf://dictionary-en/4.0.0", false)]
    public void A_package_is_named_with_its_version(string uri, bool expected)
    {
        Assert.Equal(expected, NpmPackage.Parse(uri) is not null);
        if (expected) Assert.Equal(uri, NpmPackage.Parse(uri)!.ToString());
    }

    [Fact]
    public async Task Its_files_come_checked()
    {
        await new NpmPackage("words", "1.0.0").FetchAsync(_address, _folder["out"], CancellationToken.None);
        Assert.Equal("1\nfilm\n", File.ReadAllText(Path.Combine(_folder["out"], "package", "index.dic")));
    }

    [Fact]
    public async Task Other_bytes_than_the_registry_says_are_refused()
    {
        _integrity = "sha512-" + Convert.ToBase64String(SHA512.HashData([1]));
        var error = await Assert.ThrowsAsync<CorpusException>(() => new NpmPackage("words", "1.0.0").FetchAsync(_address, _folder["out"], CancellationToken.None));
        Assert.StartsWith("npm://words/1.0.0: what came has another SHA-512", error.Message);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task A_version_that_is_not_there_says_what_else_to_do()
    {
        var error = await Assert.ThrowsAsync<CorpusException>(() => new NpmPackage("words", "9.0.0").FetchAsync(_address, _folder["out"], CancellationToken.None));
        Assert.Contains("npm://words/9.0.0 cannot be had", error.Message);
        Assert.Contains("npm_config_registry", error.Message);
    }

    private async Task ServeAsync()
    {
        while (_registry.IsListening)
        {
            var context = await _registry.GetContextAsync();
            var bytes = context.Request.RawUrl switch
            {
                "/words/1.0.0" => Encoding.UTF8.GetBytes($"{{\"dist\":{{\"tarball\":\"{_address}words.tgz\",\"integrity\":\"{_integrity}\"}}}}"),
                "/words.tgz" => _archive,
                _ => null,
            };
            if (bytes is null) context.Response.StatusCode = 404;
            else await context.Response.OutputStream.WriteAsync(bytes);
            context.Response.Close();
        }
    }

    private static byte[] Archive()
    {
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Fastest))
        using (var tar = new TarWriter(zip))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "package/index.dic") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes("1\nfilm\n")) });
        }

        return stream.ToArray();
    }
}
