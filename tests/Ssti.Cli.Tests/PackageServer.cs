using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;

namespace Ssti.Cli.Tests;

/// <summary>A NuGet feed (protocol 3) on loopback that has one package: what <c>dotnet nuget push</c> would have put there.</summary>
internal sealed class PackageServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _id, _version;
    private readonly byte[] _package;

    public PackageServer(string id, string version, IEnumerable<string> files)
    {
        (_id, _version, _package) = (id, version, Package(id, version, files));
        var port = FreePort();
        Endpoint = $"http://127.0.0.1:{port}/";
        _listener.Prefixes.Add(Endpoint);
        _listener.Start();
        _ = ServeAsync();
    }

    public string Endpoint { get; }

    /// <summary>The paths that were asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>A nuget.config that names this feed and no other.</summary>
    public string Config => $"""
        <configuration>
          <packageSources>
            <clear />
            <add key="here" value="{Endpoint}index.json" protocolVersion="3" allowInsecureConnections="true" />
          </packageSources>
        </configuration>
        """;

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                var path = context.Request.Url!.AbsolutePath;
                Asked.Enqueue(path);
                var folder = $"/flat/{_id.ToLowerInvariant()}/";
                var index = $$"""{"version":"3.0.0","resources":[{"@id":"{{Endpoint}}flat/","@type":"PackageBaseAddress/3.0.0"}]}""";
                byte[]? body = path == "/index.json" ? Json(index)
                    : path == $"{folder}index.json" ? Json($$"""{"versions":["{{_version}}"]}""")
                    : path == $"{folder}{_version}/{_id.ToLowerInvariant()}.{_version}.nupkg" ? _package : null;
                context.Response.StatusCode = body is null ? 404 : 200;
                if (body is not null) await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Package(string id, string version, IEnumerable<string> files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (var writer = new StreamWriter(zip.CreateEntry($"{id}.nuspec").Open()))
            {
                writer.Write($"""
                    <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
                      <metadata>
                        <id>{id}</id><version>{version}</version><authors>somebody</authors><description>a model</description>
                      </metadata>
                    </package>
                    """);
            }

            foreach (var file in files) zip.CreateEntryFromFile(file, Path.GetFileName(file));
        }

        return bytes.ToArray();
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
