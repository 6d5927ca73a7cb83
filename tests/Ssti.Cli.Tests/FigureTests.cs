using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>figure</c>: the figures of a run as pictures.</summary>
public sealed class FigureTests : CliFixture
{
    public FigureTests()
    {
        Kinds = [.. Kinds, new GapStage(), new FigureStage()];
        Write("p.yaml", """
            name: gaps
            stages:
              gaps: { uses: gap, matrix: { rank: [1, 16], seed: [40, 45] }, with: { value: "${{ matrix.rank }}" } }
              lines: { uses: figure, needs: { measures: gaps }, with: { title: Gaps, measure: gap, x: rank } }
              map: { uses: figure, needs: { measures: gaps }, with: { title: Map, form: heat-map, measure: gap, x: rank, by: seed } }
            """);
    }

    [Fact]
    public async Task Every_figure_of_a_run_is_drawn_as_png_of_the_scale_asked_for_and_as_its_svg()
    {
        await RunAsync("run", "p.yaml");
        Assert.Equal(
            "~/lines.svg\n~/lines.png\n~/map.svg\n~/map.png\n",
            string.Join(
                '\n',
                (await RunAsync("figure", "-q")).Out.Split('\n').OrderBy(line => line.Length == 0).ThenBy(line => line.Contains("map"))));
        Assert.Equal((1440, 900), Size("lines.png"));
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "lines", "out")).Code);
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "out/figure.svg")), File.ReadAllText(Path.Combine(Folder, "lines.svg")));

        var one = await RunAsync("figure", "1", "--png", "--scale", "3", "-o", "pictures/here", "--stage", "map", "--json");
        Assert.Equal("~/pictures/here/map.png", (string?)one.Json["figures"]![0]!["file"]);
        Assert.Equal((2160, 1350), Size("pictures/here/map.png"));
        Assert.Single(Directory.GetFiles(Path.Combine(Folder, "pictures/here")));
    }

    [Fact]
    public async Task Nothing_is_written_over_or_passed_over()
    {
        await RunAsync("run", "p.yaml", "--until", "gaps");
        Assert.Contains("run 000001-", (await RunAsync("figure", "-q")).Error);
        Assert.Equal(2, (await RunAsync("figure", "-q")).Code);
        await RunAsync("run", "p.yaml");
        Write("map.svg", "mine");
        var taken = await RunAsync("figure", "last");
        Assert.Equal((2, "", "mine"), (taken.Code, taken.Out, File.ReadAllText(Path.Combine(Folder, "map.svg"))));
        Assert.False(File.Exists(Path.Combine(Folder, "lines.svg")));
        Assert.Equal(0, (await RunAsync("figure", "last", "--force", "--svg")).Code);
        Assert.False(File.Exists(Path.Combine(Folder, "lines.png")));
        Assert.Contains("at most 8", (await RunAsync("figure", "--scale", "9", "-o", "x")).Error);
    }

    // A PNG begins with its signature and the chunk of its size.
    private (int Width, int Height) Size(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Folder, file));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], bytes[..4]);
        return (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16)), System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(20)));
    }
}
