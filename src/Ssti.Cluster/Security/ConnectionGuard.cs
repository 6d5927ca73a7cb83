using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Orleans;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace Ssti.Cluster.Security;

/// <summary>
/// Stands at every connection of a silo or submitter: mutual TLS where it is set up, otherwise nothing but this machine unless that was asked for.
/// </summary>
/// <remarks>
/// On the listening side the handshake itself takes any certificate, or none: it only proves that its key is there. The verdict follows at once, inside the
/// connection and before a byte of it gets to Orleans, so that who is refused is told why. The connecting side checks within the handshake.
/// </remarks>
internal sealed class ConnectionGuard
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);
    private readonly ClusterSecurity _security;
    private readonly TlsFiles? _files;

    /// <summary>Reads the files of TLS, where it is set up.</summary>
    /// <exception cref="ClusterException">They cannot be used.</exception>
    public ConnectionGuard(ClusterSecurity security, bool isSilo, ConnectionNotes notes)
    {
        (_security, Notes) = (security, notes);
        if (security.Tls is { } tls) _files = new TlsFiles(tls, isSilo, notes);
    }

    public ConnectionNotes Notes { get; }

    /// <summary>Whether connections are made with TLS.</summary>
    public bool IsTls => _files is not null;

    /// <summary>Guards a silo's three kinds of connection.</summary>
    public void Guard(SiloConnectionOptions options)
    {
        options.ConfigureSiloInboundConnection(connection => Listen(connection, "silo", PeerCheck.Server, _security.Tls?.Name is { } name ? [name] : []));
        options.ConfigureGatewayInboundConnection(connection => Listen(connection, "gateway", PeerCheck.Client, _security.Tls?.Submitters ?? []));
        options.ConfigureSiloOutboundConnection(Connect);
    }

    /// <summary>Guards a submitter's connections.</summary>
    public void Guard(ClientConnectionOptions options) => options.ConfigureConnection(Connect);

    /// <summary>What a connection to a silo is made with, outside of Orleans.</summary>
    /// <param name="refuse">Told what is wrong with the silo.</param>
    public SslClientAuthenticationOptions Client(Action<string> refuse)
    {
        var options = new SslClientAuthenticationOptions { ApplicationProtocols = [new SslApplicationProtocol("Orleans1")] };
        Fill(options, refuse);
        return options;
    }

    private void Listen(IConnectionBuilder connection, string port, string usage, IReadOnlyList<string> names)
    {
        if (_files is null) return;
        connection.Use(next => async context =>
        {
            await next(context).ConfigureAwait(false);
            if (context.Features.Get<Verdict>() is null)
                Notes.Tell($"{context.RemoteEndPoint} left the {port} port before a TLS connection was made: it speaks no TLS, or does not take this silo's certificate",
                    $"{port} {(context.RemoteEndPoint as IPEndPoint)?.Address}");
        });
        connection.UseServerTls(new TlsOptions
        {
            // Asked for by Orleans; what counts is filled in below, for each connection.
            LocalServerCertificateSelector = (_, _) => _files.Current().Own.TargetCertificate,
            RemoteCertificateMode = RemoteCertificateMode.NoCertificate,
            OnAuthenticateAsServer = (context, options) =>
            {
                var own = _files.Current();
                var raw = (SslServerAuthenticationOptions)options.SslServerAuthenticationOptions;
                (raw.ServerCertificateSelectionCallback, raw.ServerCertificateContext, raw.ClientCertificateRequired) = (null, own.Own, true);
                // A resumed connection would not be looked at again.
                (raw.AllowTlsResume, raw.AllowRenegotiation) = (false, false);
                raw.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                {
                    context.Features.Set(new Verdict(PeerCheck.Problem(
                        certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore ?? [], own.Authority, usage, names, TimeProvider.System)));
                    return true;
                };
            },
        });
        connection.Use(next => context => AdmitAsync(context, port, next));
    }

    private async Task AdmitAsync(ConnectionContext context, string port, ConnectionDelegate next)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            // No verdict is no welcome.
            var problem = context.Features.Get<Verdict>() is { } verdict ? verdict.Problem : "its certificate was not looked at";
            await Verdicts.SayAsync(context.Transport.Output, problem, limit.Token).ConfigureAwait(false);
            if (problem is not null)
            {
                Notes.Tell($"refused {context.RemoteEndPoint} on the {port} port: {problem}", $"{port} {(context.RemoteEndPoint as IPEndPoint)?.Address} {problem}");
                // Orleans' sockets drop what was not read when they are closed: the other side goes first.
                limit.CancelAfter(Farewell);
                while (await context.Transport.Input.ReadAsync(limit.Token).ConfigureAwait(false) is { IsCompleted: false } more)
                    context.Transport.Input.AdvanceTo(more.Buffer.End);
                return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            return;
        }

        await next(context).ConfigureAwait(false);
    }

    private void Connect(IConnectionBuilder connection)
    {
        if (_files is null)
        {
            connection.Use(next => context =>
            {
                if (_security.Insecure || context.RemoteEndPoint is not IPEndPoint remote || ClusterSecurity.IsLoopback(remote.Address)) return next(context);
                Notes.Tell($"the silo at {remote} is not on this machine, and nothing protects a connection to it: {ClusterSecurity.Cure}", isRefusal: true);
                return Task.CompletedTask;
            });
            return;
        }

        connection.Use(next => async context =>
        {
            await next(context).ConfigureAwait(false);
            if (context.Features.Get<Verdict>() is null)
                Notes.Tell(
                    $"the silo at {context.RemoteEndPoint} ended the TLS handshake: does it speak TLS (Ssti__Tls__Certificate and the others are set there)?",
                    isRefusal: true);
        });
        connection.UseClientTls(new TlsOptions
        {
            RemoteCertificateMode = RemoteCertificateMode.NoCertificate,
            OnAuthenticateAsClient = (context, options) => Fill((SslClientAuthenticationOptions)options.SslClientAuthenticationOptions, problem =>
            {
                context.Features.Set(new Verdict(problem));
                Notes.Tell(Mistrusted(context.RemoteEndPoint, problem), isRefusal: true);
            }),
        });
        connection.Use(next => async context =>
        {
            context.Features.Set(new Verdict("not heard"));
            using (var limit = new CancellationTokenSource(Patience))
            {
                try
                {
                    if (await Verdicts.HearAsync(context.Transport.Input, limit.Token).ConfigureAwait(false) is { } problem)
                    {
                        Notes.Tell(Refused(context.RemoteEndPoint, problem), isRefusal: true);
                        return;
                    }
                }
                catch (Exception e) when (e is InvalidDataException or IOException or OperationCanceledException or InvalidOperationException)
                {
                    Notes.Tell($"the silo at {context.RemoteEndPoint} ended the connection without saying why; its log may tell", isRefusal: true);
                    return;
                }
            }

            await next(context).ConfigureAwait(false);
        });
    }

    /// <summary>That a silo is not believed, for people.</summary>
    public static string Mistrusted(EndPoint? silo, string problem) => $"the silo at {silo} is not to be trusted: {problem}";

    /// <summary>That a silo does not let this side in, for people.</summary>
    public static string Refused(EndPoint? silo, string problem) => $"the silo at {silo} refused this side: {problem}";

    private void Fill(SslClientAuthenticationOptions options, Action<string> refuse)
    {
        var own = _files!.Current();
        var name = _security.Tls!.Name;
        (options.ClientCertificateContext, options.LocalCertificateSelectionCallback, options.ClientCertificates) = (own.Own, null, null);
        (options.AllowTlsResume, options.AllowRenegotiation) = (false, false);
        options.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        options.TargetHost = name ?? "";
        options.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
        {
            var problem = PeerCheck.Problem(
                certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore ?? [], own.Authority, PeerCheck.Server, name is null ? [] : [name], TimeProvider.System);
            if (problem is not null) refuse(problem);
            return problem is null;
        };
    }

    /// <summary>What came of looking at a certificate; null for good.</summary>
    private sealed record Verdict(string? Problem);
}
