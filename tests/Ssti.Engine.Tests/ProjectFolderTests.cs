using Ssti.Engine.Pipelines;

namespace Ssti.Engine.Tests;

public sealed class ProjectFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-project-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_place_is_the_path_in_the_project_so_that_clones_are_one()
    {
        foreach (var clone in (string[])["alice/paper", "bob/paper", "bob/thesis"]) Directory.CreateDirectory(Path.Combine(_folder, clone, ".git"));

        string Place(string clone) => ProjectFolder.PlaceOf(Path.Combine(_folder, clone, "pipelines", "t.yaml"));

        Assert.Equal("paper/pipelines/t.yaml", Place("alice/paper"));
        Assert.Equal(Place("alice/paper"), Place("bob/paper"));
        Assert.NotEqual(Place("alice/paper"), Place("bob/thesis"));
    }

    [Fact]
    public void Outside_of_a_project_it_is_the_whole_path()
    {
        var file = Path.Combine(_folder, "t.yaml");
        Assert.Equal(file, ProjectFolder.PlaceOf(Path.Combine(_folder, "pipelines", "..", "t.yaml")));
        Assert.Null(ProjectFolder.Of(_folder));
        File.WriteAllText(Path.Combine(_folder, ".git"), "gitdir: elsewhere");
        Assert.Equal($"{Path.GetFileName(_folder)}/t.yaml", ProjectFolder.PlaceOf(file));
    }
}
