namespace Ssti.Cli.Tests;

public sealed class ExportTests : CliFixture
{
    [Fact]
    public async Task One_cell_goes_into_the_folder_itself_and_several_into_folders_of_their_own()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "second@a", "one")).Code);
        Assert.Equal("a", Read("one", "text.txt"));
        var many = await RunAsync("export", "p.yaml", "second", "many", "--json");
        Assert.Equal(["second@a", "second@b"], many.Json["exported"]!.AsArray().Select(stage => (string?)stage!["stage"]));
        Assert.Equal(("a", "b"), (Read("many", "a", "text.txt"), Read("many", "b", "text.txt")));
        await RunAsync("export", "p.yaml", "*", "all");
        Assert.Equal(("one", "b"), (Read("all", "first", "text.txt"), Read("all", "second@b", "text.txt")));
    }

    [Fact]
    public async Task What_is_there_is_overwritten_only_by_force()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Write("out/text.txt", "mine");
        var refused = await RunAsync("export", "p.yaml", "first", "out");
        Assert.Equal(2, refused.Code);
        Assert.Contains("--force", refused.Error);
        Assert.Equal("mine", Read("out", "text.txt"));
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "first", "out", "--force")).Code);
        Assert.Equal("one", Read("out", "text.txt"));
    }

    [Fact]
    public async Task A_stale_stage_is_not_exported()
    {
        Write("p.yaml", TwoStages);
        var export = await RunAsync("export", "p.yaml", "first", "out");
        Assert.Equal(3, export.Code);
        Assert.Contains("ssti run p.yaml --until first", export.Error);
        Assert.False(Directory.Exists(Path.Combine(Folder, "out")));
    }

    [Fact]
    public async Task Exported_files_can_be_changed_without_harm_to_the_store()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("export", "p.yaml", "first", "out");
        Write("out/text.txt", "changed");
        await RunAsync("export", "p.yaml", "first", "again");
        Assert.Equal("one", Read("again", "text.txt"));
    }

    private string Read(params string[] path) => File.ReadAllText(Path.Combine([Folder, .. path]));
}
