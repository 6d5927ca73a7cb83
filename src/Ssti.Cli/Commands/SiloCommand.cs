using System.CommandLine;
using Ssti.Cluster;

namespace Ssti.Cli.Commands;

/// <summary>
/// <c>ssti silo</c>: hosts all kinds of stage as one silo of a cluster, as the services do theirs: what a batch system starts on each node.
/// </summary>
internal static class SiloCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "silo", "Host all kinds of stage as a silo of a cluster, set up by Ssti__ variables (docs/cluster.md): what Slurm starts on each node.");
        command.SetAction((_, _) => ServiceHost.RunAsync([], "silo", host.Kinds, host.Probe));
        return command;
    }
}
