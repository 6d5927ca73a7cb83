using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Ssti.Engine.Records;
using Ssti.Reporting.Report;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>
/// The pages of <c>ssti serve</c>: the runs of its store, and each as its report. They hold the texts of datasets, so they answer this machine's own browsers only,
/// under a name of this machine, and only to be read.
/// </summary>
/// <remarks>The name (Host) matters because a page from elsewhere can have its own name resolved to 127.0.0.1, and would then read what we answer.</remarks>
internal sealed class RunPages(OpenStore store, TimeProvider time)
{
    private const int Shown = 200, Refresh = 10;

    private static readonly string[] Local = ["localhost", "127.0.0.1", "[::1]"];

    // A report reads and draws: one at a time, however many windows are open.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Adds the pages to a server: whatever path it has no other answer to.</summary>
    public static void Map(WebApplication app, OpenStore store, TimeProvider time) => app.Map("/{**path}", new RunPages(store, time).AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        var (status, html) = !IsLocal(context)
            ? (403, RunListHtml.Nothing(
                "these pages answer browsers of this machine only, at localhost: from elsewhere, 'ssh -L 5180:localhost:5180 MACHINE' brings them to yours"))
            : !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) ? (405, RunListHtml.Nothing("these pages are only read"))
            : context.Request.Path.Value!.Split('/') switch
            {
                ["", ""] => (200, List()),
                ["", "runs", var id] => await RunAsync(id, context.RequestAborted),
                _ => (404, RunListHtml.Nothing($"there is no page {context.Request.Path}")),
            };
        var headers = context.Response.Headers;
        (headers.CacheControl, headers.XContentTypeOptions, headers.XFrameOptions) = ("no-store", "nosniff", "DENY");
        (headers["Referrer-Policy"], headers["Cross-Origin-Resource-Policy"], headers["Cross-Origin-Opener-Policy"]) = ("no-referrer", "same-origin", "same-origin");
        headers.ContentSecurityPolicy = $"{ReportHtml.Policy}; frame-ancestors 'none'";
        (context.Response.StatusCode, context.Response.ContentType) = (status, "text/html; charset=utf-8");
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(html), context.RequestAborted);
    }

    private static bool IsLocal(HttpContext context) => context.Connection.RemoteIpAddress is { } from
        && IPAddress.IsLoopback(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from) && Local.Contains(context.Request.Host.Host, StringComparer.OrdinalIgnoreCase);

    private string List()
    {
        var history = new RunHistory(store.Workspace);
        var ids = history.Ids;
        return RunListHtml.Of(store.Artifacts.Location, [.. ids.Take(Shown).Select(history.Read).OfType<PastRun>().Select(run => new RunListEntry(
            run.Id, run.Pipeline + Words.Profile(run.Profile), run.Outcome ?? "unfinished", run.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
            run.Seconds is { } seconds ? Durations.Show(seconds) : LastSign(run), run.Stages.Count, RunReport.Planned(run),
            run.Stages.Count(stage => stage.State == "failed")))],
            Math.Max(0, ids.Count - Shown));
    }

    // Only what stands in the list of runs is looked for: no name leads anywhere else.
    private async Task<(int, string)> RunAsync(string id, CancellationToken cancellation)
    {
        var history = new RunHistory(store.Workspace);
        if (!history.Ids.Contains(id) || history.Read(id) is not { } run)
            return (404, RunListHtml.Nothing($"there is no run '{id}', or its journal cannot be read"));
        await _one.WaitAsync(cancellation);
        try
        {
            var page = (await RunReport.OfAsync(store, run, RunReport.UsualRows, cancellation)) with { Up = "/" };
            if (run.Outcome is null) page = page with { Refresh = Refresh, Lead = $"{page.Lead} {AtWork(run)}The {LastSign(run)}." };
            return (200, ReportHtml.Of(page));
        }
        catch (Exception error) when (error is StoreException or IOException or UnauthorizedAccessException)
        {
            return (500, RunListHtml.Nothing($"the run cannot be read: {error.Message}"));
        }
        finally
        {
            _one.Release();
        }
    }

    // A stage has a log from its first moment on, and a line in the journal when it is over.
    private string AtWork(PastRun run)
    {
        var over = run.Stages.Select(stage => stage.Stage).ToHashSet();
        var logs = Files(run, "*.log").Select(file => Path.GetFileNameWithoutExtension(file.Name));
        string[] begun = [.. logs.Where(name => !over.Contains(name)).Order(StringComparer.Ordinal)];
        return begun.Length == 0 ? "" : $"Begun and not over: {Words.List(begun)}. ";
    }

    private string LastSign(PastRun run)
    {
        var last = Files(run, "*").Select(file => file.LastWriteTimeUtc).DefaultIfEmpty().Max();
        return last == default ? "" : $"last sign came {Durations.Show((time.GetUtcNow() - last).TotalSeconds)} ago";
    }

    private IEnumerable<FileInfo> Files(PastRun run, string pattern)
    {
        var folder = new DirectoryInfo(Path.Combine(store.Workspace.Runs, run.Id));
        return folder.Exists ? folder.EnumerateFiles(pattern) : [];
    }
}
