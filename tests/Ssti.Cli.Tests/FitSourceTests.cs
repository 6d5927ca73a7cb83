using System.Text.Json.Nodes;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Tests.Hub;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti fit</c> and <c>ssti predict</c> with a base that is fetched: from the Hub, and from a NuGet feed.</summary>
public sealed class FitSourceTests(FittedReviews reviews) : IClassFixture<FittedReviews>
{
    private static readonly string[] Model = ["config.json", "model.safetensors", "vocab.txt"];

    [Fact]
    public async Task A_model_of_the_Hub_is_fetched_fitted_pinned_and_found_again()
    {
        using var server = new HubServer { Repository = "team/tiny", IsDataset = false };
        foreach (var file in Model)
        {
            var files = file == "model.safetensors" ? server.Large : server.Small;
            files[file] = await File.ReadAllBytesAsync(Path.Combine(reviews.Root, "tiny", file));
        }

        var hub = new HubOptions
        {
            Endpoint = server.Endpoint, CacheFolder = Path.Combine(reviews.Root, "hub-cache"), Retries = 1, Delay = (_, _) => Task.CompletedTask,
        };
        using var _ = reviews.With(StageKinds.With(hub), new HubResolver(hub));

        var wrong = await reviews.AskAsync(["fit", "reviews.csv", .. With("hf://team/other"), "-o", "of-nothing"]);
        Assert.Equal((1, ""), (wrong.Code, wrong.Out));
        Assert.Contains("team/other", wrong.Error);
        Assert.DoesNotContain("   at ", wrong.Error);
        Assert.False(Path.Exists(Path.Combine(reviews.Root, "of-nothing")));

        var fit = await reviews.AskAsync(["fit", "reviews.csv", .. With("hf://team/tiny"), "-o", "of-hub"]);
        Assert.True(fit.Code == 0, fit.Error);
        SameAsLocal("of-hub");
        Assert.Contains("source: \"hf://team/tiny\"", File.ReadAllText(Path.Combine(reviews.Root, "of-hub.yaml")));
        Assert.Equal($"hf://team/tiny@{HubServer.Commit}", (string?)Fitted("of-hub")["model"]);
        // PEFT finds the base by these two.
        var adapter = JsonNode.Parse(File.ReadAllText(Path.Combine(reviews.Root, "of-hub", "adapter_config.json")))!;
        Assert.Equal(("team/tiny", HubServer.Commit), ((string?)adapter["base_model_name_or_path"], (string?)adapter["revision"]));

        // From a store that never saw it: the commit that was trained on is fetched, wherever the branch stands by now.
        var local = await reviews.TellAsync("the film was good\n", "predict", "model", "-q");
        server.Head = "fedcba9876543210fedcba9876543210fedcba98";
        var elsewhere = await reviews.TellAsync("the film was good\n", "predict", "of-hub", "-q", "--store", "never-seen");
        Assert.Equal((0, local.Out, ""), (elsewhere.Code, elsewhere.Out, elsewhere.Error));
        Assert.DoesNotContain(server.AtHub, seen => seen.Path.Contains(server.Head, StringComparison.Ordinal));
        // And with its store nothing is asked of anybody.
        server.Dispose();
        var kept = await reviews.TellAsync("the film was good\n", "predict", "of-hub", "-q");
        Assert.Equal((0, local.Out, ""), (kept.Code, kept.Out, kept.Error));
    }

    [Fact]
    public async Task A_model_in_a_package_is_fetched_from_the_users_feed_fitted_and_found_again()
    {
        using var server = new PackageServer("Team.Tiny", "1.2.0", Model.Select(file => Path.Combine(reviews.Root, "tiny", file)));
        var home = reviews.Put("home/.nuget/NuGet/NuGet.Config", server.Config).Split("/.nuget/")[0];
        (string, string)[] machine =
        [
            ("HOME", home), ("NUGET_PACKAGES", Path.Combine(home, "packages")), ("NUGET_HTTP_CACHE_PATH", Path.Combine(home, "http")), ("SSTI_STORE", ""),
        ];

        var wrong = await FitAsync("nuget://Team.Tiny/9.9.9", "of-nobody");
        Assert.Equal(1, wrong.Code);
        Assert.Contains("nuget://Team.Tiny/9.9.9 cannot be had: here has no such version", wrong.Error);
        Assert.DoesNotContain("   at ", wrong.Error);
        Assert.False(Path.Exists(Path.Combine(reviews.Root, "of-nobody")));
        var versionless = await FitAsync("nuget://Team.Tiny", "of-nobody");
        Assert.Contains("a version is needed", versionless.Error);

        var fit = await FitAsync("nuget://Team.Tiny/1.2.0", "of-package");
        Assert.True(fit.Code == 0, fit.Error);
        SameAsLocal("of-package");
        Assert.Equal("nuget://Team.Tiny/1.2.0", (string?)Fitted("of-package")["model"]);
        Assert.Contains("/flat/team.tiny/1.2.0/team.tiny.1.2.0.nupkg", server.Asked);

        // From a store that never saw it and a feed that is gone: a package that was fetched once stays on the machine.
        server.Dispose();
        reviews.Put("one.txt", "the film was good\n");
        var local = await reviews.TellAsync("the film was good\n", "predict", "model", "-q");
        string[] predict = ["predict", "of-package", "one.txt", "-q", "--store", "nor-this"];
        var elsewhere = await SstiProcess.RunAsync(reviews.Root, predict, machine);
        Assert.Equal((0, local.Out, ""), (elsewhere.Code, elsewhere.Out, elsewhere.Error));

        Task<(int Code, string Out, string Error)> FitAsync(string model, string folder) =>
            SstiProcess.RunAsync(reviews.Root, ["fit", "reviews.csv", .. With(model), "-o", folder], machine);
    }

    private static string[] With(string model) => [.. FittedReviews.Quick.Select(word => word == "tiny" ? model : word)];

    private JsonNode Fitted(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(reviews.Root, folder, "fit.json")))!;

    // The same weights train to the same bytes, wherever they came from.
    private void SameAsLocal(string folder)
    {
        foreach (var file in new[] { "adapter_model.safetensors", "head.safetensors", "validation.jsonl" })
            Assert.Equal(Bytes("model", file), Bytes(folder, file));
    }

    private byte[] Bytes(string folder, string file) => File.ReadAllBytes(Path.Combine(reviews.Root, folder, file));
}
