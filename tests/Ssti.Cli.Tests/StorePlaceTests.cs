namespace Ssti.Cli.Tests;

/// <summary>Where results go when nobody says.</summary>
public sealed class StorePlaceTests : CliFixture
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_store_belongs_to_the_project_wherever_one_stands_in_it(bool worktree)
    {
        // In a worktree or a submodule .git is a file.
        if (worktree) Write("work/project/.git", "gitdir: /elsewhere");
        else Directory.CreateDirectory(Path.Combine(Folder, "work/project/.git"));
        Write("work/project/pipelines/deep/p.yaml", TwoStages);
        Directory.CreateDirectory(Path.Combine(Folder, "work/elsewhere"));
        Home = "work/elsewhere";
        Assert.Equal(0, (await RunAsync("run", "../project/pipelines/deep/p.yaml")).Code);
        Assert.True(IsStore("work/project/.ssti"));
        Assert.Equal(["project"], Directory.GetFileSystemEntries(Path.Combine(Folder, "work")).Select(Path.GetFileName).Except(["elsewhere"]));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Folder, "work/elsewhere")));

        Home = "work/project/pipelines";
        Assert.Equal(0, (await RunAsync("run", "deep/p.yaml", "--question")).Code);
        Assert.Equal("succeeded", (string?)(await RunAsync("show", "last", "--json")).Json["outcome"]);
    }

    [Fact]
    public async Task Without_a_project_it_lies_beside_the_pipeline_and_a_verb_elsewhere_says_where()
    {
        Write("pipelines/p.yaml", TwoStages);
        Assert.Equal(0, (await RunAsync("run", "pipelines/p.yaml")).Code);
        Assert.True(IsStore("pipelines/.ssti"));
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti")));
        var lost = await RunAsync("show", "last");
        Assert.Equal(2, lost.Code);
        Assert.Contains("there is one in ~/pipelines/.ssti", lost.Error);
        Assert.Equal(0, (await RunAsync("show", "last", "--pipeline", "pipelines/p.yaml")).Code);
        Assert.Equal(0, (await RunAsync("verify", "pipelines/p.yaml")).Code);
        Assert.Equal(0, (await RunAsync("gc", "pipelines/p.yaml")).Code);
        Assert.Equal(0, (await RunAsync("push", "other", "pipelines/p.yaml")).Code);
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti")));
    }

    [Fact]
    public async Task A_store_in_the_working_folder_from_before_is_used_and_told_until_the_project_has_one()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "--store", "pipelines/.ssti");
        Directory.CreateDirectory(Path.Combine(Folder, ".git"));
        File.Move(Path.Combine(Folder, "p.yaml"), Path.Combine(Folder, "pipelines/p.yaml"));
        Home = "pipelines";
        var found = await RunAsync("run", "p.yaml");
        Assert.Contains("note: the store is ~/pipelines/.ssti, for there is none at ~/.ssti yet (it is put there by: mv ~/pipelines/.ssti ~/.ssti)", found.Error);
        Assert.Contains("3 cached", found.Out);
        Assert.DoesNotContain("note:", (await RunAsync("run", "p.yaml", "-q")).Error);

        // The same from anywhere else: beside the pipeline it lay before there was a project.
        Home = "";
        Assert.Contains("note: the store is ~/pipelines/.ssti", (await RunAsync("run", "pipelines/p.yaml")).Error);
        await RunAsync("push", ".ssti", "--store", "pipelines/.ssti");
        Home = "pipelines";
        Assert.Contains("note: the store is ~/.ssti, the project's; the one in ~/pipelines/.ssti is not looked at", (await RunAsync("runs")).Error);
    }

    [Fact]
    public async Task What_is_named_goes_before_and_two_projects_are_not_collected_as_one()
    {
        Write("a/p.yaml", TwoStages);
        Write("b/p.yaml", TwoStages);
        Variables["SSTI_STORE"] = "variable";
        await RunAsync("run", "a/p.yaml");
        await RunAsync("run", "a/p.yaml", "--store", "option");
        Assert.Equal((true, true, false), (IsStore("variable"), IsStore("option"), Directory.Exists(Path.Combine(Folder, "a/.ssti"))));
        Assert.Equal(0, (await RunAsync("gc", "a/p.yaml", "b/p.yaml")).Code);
        Variables.Clear();
        await RunAsync("run", "a/p.yaml");
        var gc = await RunAsync("gc", "a/p.yaml", "b/p.yaml");
        Assert.Equal((2, ""), (gc.Code, gc.Out));
        Assert.Contains("two projects", gc.Error);
        Assert.Equal(2, (await RunAsync("run", "a/p.yaml", "--store", "")).Code);
    }

    [Fact]
    public async Task A_new_store_keeps_itself_out_of_git_and_hides_nothing_else()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("*", await File.ReadAllLinesAsync(Path.Combine(Folder, ".ssti/.gitignore")));

        // A project's own folder as the store: it must not vanish from git.
        Write("here/p.yaml", TwoStages);
        await RunAsync("run", "here/p.yaml", "--store", "here");
        Assert.False(File.Exists(Path.Combine(Folder, "here/.gitignore")));

        // Whoever wants the store in git removes the file once.
        File.Delete(Path.Combine(Folder, ".ssti/.gitignore"));
        await RunAsync("run", "p.yaml", "--force", "*");
        Assert.False(File.Exists(Path.Combine(Folder, ".ssti/.gitignore")));
    }

    private bool IsStore(string folder) => Directory.Exists(Path.Combine(Folder, folder, "cas"));
}
