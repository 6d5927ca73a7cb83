using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Ssti.Cli.Display;
using Ssti.Cluster;
using Ssti.Cluster.Client;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti serve</c>: a whole cluster in one process, without Redis and S3; and its runs in a browser.</summary>
internal static class ServeCommand
{
    private static readonly Option<int?> Port =
        WholeNumber.Option("--port", null, 1, $"The port that 'ssti run --cluster local:PORT' talks to (default: {ClusterAddress.DefaultPort}).", 65535);

    private static readonly Option<string> Http = new("--http")
    {
        Description = "Where /health and /alive answer, and for browsers of this machine the runs and their reports.", HelpName = "url",
        DefaultValueFactory = _ => "http://127.0.0.1:5180",
    };

    private static readonly Option<int?> Jobs =
        WholeNumber.Option("--jobs", "-j", 1, "Job slots; a stage with tensors on the CPU takes as many as its threads (default: the machine's cores).");

    private static readonly Option<int?> Gpus = WholeNumber.Option(
        "--gpus", null, 0, "GPUs that stages share (default: one where there is one).");
    private static readonly Option<int?> PerGpu = PerGpuOption.Create();

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "serve", "Host all kinds of stage in this process, for 'ssti run --cluster local', and show runs and reports in a browser; needs no Redis and no S3.")
            { CommonOptions.Store, Port, Http, Jobs, Gpus, PerGpu };
        command.SetAction((parsed, cancellation) => RunAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        using var store = CommonOptions.Open(parsed, host);
        if (store.IsRemote) throw new UserException($"serve keeps artifacts in a folder, not in {store.Artifacts.Location}; for a bucket start the services (docs/cluster.md)");
        var (folder, port, http) = (store.Workspace.Root, parsed.GetValue(Port) ?? ClusterAddress.DefaultPort, parsed.GetValue(Http)!);
        // Kestrel takes http://*:5180 as well, which is no URI.
        if (!http.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            throw new UserException($"--http: '{http}' is no http address, such as http://127.0.0.1:5180");
        // Whatever Redis or bucket the environment names for other commands: this one is by itself.
        List<string> settings =
        [
            $"--Ssti:Store={folder}", "--Ssti:Cache=", "--ConnectionStrings:redis=", "--S3:Bucket=",
                $"--Ssti:GatewayPort={port}", $"--Ssti:Jobs={parsed.GetValue(Jobs) ?? Environment.ProcessorCount}", $"--urls={http}",
        ];
        if (parsed.GetValue(Gpus) is { } gpus) settings.Add($"--Ssti:Gpus={gpus}");
        if (parsed.GetValue(PerGpu) is { } perGpu) settings.Add($"--Ssti:PerGpu={perGpu}");
        Demand(new IPEndPoint(IPAddress.Loopback, port), "--port");
        if (Uri.TryCreate(http, UriKind.Absolute, out var url) && IPAddress.TryParse(url.Host, out var address)) Demand(new IPEndPoint(address, url.Port), "--http");
        await using var app = ServiceHost.Build([.. settings], "all", host.Kinds(), host.Probe);
        RunPages.Map(app, store, host.Time);
        await app.StartAsync(cancellation);
        if (parsed.GetValue(CommonOptions.Json))
            JsonOutput.Write(host.Terminal.Out, new JsonObject { ["cluster"] = $"local:{port}", ["store"] = folder, ["health"] = $"{http}/health", ["pages"] = $"{http}/" });
        else if (!parsed.GetValue(CommonOptions.Quiet))
        {
            host.Terminal.Error.WriteLine(
                $"serving on local:{port}, store {folder}; runs and reports at {http}/, for browsers of this machine; health at {http}/health; "
                + "Ctrl-C stops");
        }

        await app.WaitForShutdownAsync(cancellation);
        return ExitCodes.Done;
    }

    // Asked before anything starts: what starts tells of a taken port with pages of traces.
    private static void Demand(IPEndPoint endpoint, string option)
    {
        try
        {
            using var listener = new TcpListener(endpoint);
            listener.Start();
        }
        catch (SocketException error)
        {
            throw new UserException($"cannot listen on {endpoint} ({error.Message}); is another 'ssti serve' running? choose another with {option}");
        }
    }
}
