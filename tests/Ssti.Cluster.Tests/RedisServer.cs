using System.Net.Sockets;

namespace Ssti.Cluster.Tests;

/// <summary>A redis-server of one's own on loopback, that writes every change down.</summary>
internal sealed class RedisServer(string folder) : IAsyncDisposable
{
    private Child? _process;

    public int Port { get; } = Ports.Free();

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Starts it; skips the calling test where there is none.</summary>
    public async Task StartAsync()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(path => Path.Combine(path, "redis-server")).FirstOrDefault(File.Exists);
        Skip.If(program is null, "needs redis-server in PATH (Debian: apt-get install redis-server)");
        Directory.CreateDirectory(folder);
        _process = new Child(program!, ["--port", $"{Port}", "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", folder, "--save", ""]);
        for (var i = 0; ; i++)
        {
            try
            {
                using var socket = new TcpClient("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (i < 100)
            {
                await Task.Delay(50);
            }
        }
    }

    public Task KillAsync() => _process!.KillAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
    }
}
