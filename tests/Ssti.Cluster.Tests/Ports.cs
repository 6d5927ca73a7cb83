using System.Net;
using System.Net.Sockets;

namespace Ssti.Cluster.Tests;

/// <summary>Ports for the processes that tests start.</summary>
internal static class Ports
{
    // Below those that the system hands out by itself: between the asking and the child's listening nobody is given one of these, and no two tests get the same.
    private const int First = 20_000, Count = 12_000;
    private static int _next = Environment.ProcessId * 97 % Count;

    /// <summary>One that is free on loopback and was given to nobody before.</summary>
    public static int Free()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref _next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Another program's.
            }
        }

        throw new InvalidOperationException("no port is free");
    }
}
