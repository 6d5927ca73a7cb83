using System.Net;
using Aspire.Hosting.Testing;

namespace Ssti.AppHost.Tests;

/// <summary>The services and the buttons, as the dashboard has them.</summary>
public sealed class ApplicationTests(ApplicationFixture fixture) : IClassFixture<ApplicationFixture>
{
    [Fact]
    public async Task The_four_services_are_well()
    {
        foreach (var service in ApplicationFixture.Services)
        {
            using var client = fixture.App.CreateHttpClient(service, "http");
            using var answer = await client.GetAsync("/health");
            Assert.Equal((HttpStatusCode.OK, "Healthy"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        }
    }

    [Fact]
    public async Task A_button_runs_a_pipeline_on_the_services_and_its_report_is_that_of_the_last_run()
    {
        var first = await fixture.PressAsync("small", TimeSpan.FromMinutes(3));
        Assert.Contains("\nSmall\n", "\n" + first, StringComparison.Ordinal);
        Assert.Contains("7 executed, 0 cached", first, StringComparison.Ordinal);
        var second = await fixture.PressAsync("small", TimeSpan.FromMinutes(2));
        Assert.Contains("0 executed, 7 cached", second, StringComparison.Ordinal);
        Assert.Equal(Table(first, "Small"), Table(second, "Small"));
    }

    [Fact]
    public async Task The_quickstart_s_button_shows_its_table()
    {
        var report = await fixture.PressAsync("quickstart", TimeSpan.FromMinutes(20));
        Assert.Contains("Table 1 in small", report, StringComparison.Ordinal);
        Assert.Matches(@"\d+ executed, \d+ cached", report);
        Assert.DoesNotContain("failed", report, StringComparison.Ordinal);
    }

    private static string Table(string report, string title) =>
        string.Join('\n', report.Split('\n').SkipWhile(line => line != title).TakeWhile(line => !line.StartsWith("Run ", StringComparison.Ordinal)));
}
