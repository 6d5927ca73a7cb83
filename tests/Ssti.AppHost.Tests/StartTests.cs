using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Tests;

namespace Ssti.AppHost.Tests;

/// <summary>What a newcomer types, on a machine that nobody has prepared: an empty home, no certificate, and no container engine.</summary>
public sealed partial class StartTests : IDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly string _home = Directory.CreateTempSubdirectory("ssti-home-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [SkippableTheory]
    [InlineData("", "the services")]
    [InlineData("https", "there is no development certificate: the dashboard speaks http")]
    public async Task Started_bare_it_says_what_it_runs_on_and_the_dashboard_and_the_services_answer(string profile, string told)
    {
        Skip.If(OperatingSystem.IsWindows(), "signals");
        string[] arguments = profile.Length == 0 ? ["run", "--project", "AppHost"] : ["run", "--project", "AppHost", "--no-build", "--launch-profile", profile];
        using var process = Start(arguments, ("PATH", $"{NoEngines()}:{Environment.GetEnvironmentVariable("PATH")}"));
        var (lines, services, login) = (new List<string>(), new Dictionary<string, string>(), "");
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        try
        {
            while ((services.Count < 4 || login.Length == 0) && await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                lines.Add(line);
                if (Well().Match(line) is { Success: true } well) services.Add(well.Groups["service"].Value, well.Groups["url"].Value);
                if (Login().Match(line) is { Success: true } found) login = found.Value;
            }

            var said = string.Join('\n', lines);
            Assert.True(services.Count == 4 && login.Length > 0, said);
            Assert.Contains(told, said);
            Assert.Single(lines, line => line.StartsWith("no container engine answers", StringComparison.Ordinal));
            Assert.DoesNotContain("   at ", said);
            Assert.Equal(ApplicationFixture.Services.Order(), services.Keys.Order());
            foreach (var address in services.Values) Assert.Equal("Healthy", await Http.GetStringAsync(address, limit.Token));
            Assert.Contains("<html", await Http.GetStringAsync(login, limit.Token), StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            var drain = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            using var stop = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            if (!process.WaitForExit(TimeSpan.FromMinutes(1))) process.Kill(entireProcessTree: true);
            await drain;
        }

        // What it started ends with it.
        foreach (var address in services.Values)
        {
            while (await AnswersAsync(address)) await Task.Delay(200, limit.Token);
        }
    }

    /// <summary>The manifest that stands in the repository is what the AppHost publishes.</summary>
    [Fact]
    public async Task The_manifest_is_what_it_publishes()
    {
        var published = Path.Combine(_home, "aspire-manifest.json");
        using var process = Start(["run", "--project", "AppHost", "--no-build", "--", "--publisher", "manifest", "--output-path", published]);
        var said = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await said);
        // Paths in it are relative to where it is written.
        var text = (await File.ReadAllTextAsync(published)).Replace(Path.GetRelativePath(_home, Repository.Root).Replace('\\', '/') + "/", "", StringComparison.Ordinal);
        var kept = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "aspire-manifest.json")));
        Assert.True(JsonNode.DeepEquals(kept, JsonNode.Parse(text)), $"publish it again: see docs/aspire.md\n{text}");
    }

    // Engines that do not answer, before those that may be on this machine.
    private string NoEngines()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_home, "engines")).FullName;
        foreach (var engine in (string[])["docker", "podman"])
        {
            File.WriteAllText(Path.Combine(folder, engine), "#!/bin/sh\nexit 1\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path.Combine(folder, engine), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return folder;
    }

    private static async Task<bool> AnswersAsync(string address)
    {
        try
        {
            using var answer = await Http.GetAsync(address);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private Process Start(string[] arguments, params (string Name, string Value)[] environment)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet")
        {
            WorkingDirectory = Repository.Root, RedirectStandardOutput = true,
        };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        // The packages are not what a home holds: another one would be filled from the feed.
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        // A test host tells its own surroundings to what it starts: a newcomer's shell has none of it.
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("ASP", StringComparison.Ordinal) || name.StartsWith("MSBUILD", StringComparison.Ordinal)
            || name.StartsWith("VSTEST", StringComparison.Ordinal) || name is "DOTNET_ENVIRONMENT").ToList()) info.Environment.Remove(name);
        foreach (var (name, value) in ((string, string)[])[("HOME", _home), ("NUGET_PACKAGES", packages), ("SSTI_STORE", Path.Combine(_home, "store")),
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("MSBUILDDISABLENODEREUSE", "1"), .. environment]) info.Environment[name] = value;
        return Process.Start(info)!;
    }

    [GeneratedRegex(@"^(?<service>[\w-]+) is well: (?<url>\S+)$")]
    private static partial Regex Well();

    [GeneratedRegex(@"https?://localhost:\d+/login\?t=\w+")]
    private static partial Regex Login();
}
