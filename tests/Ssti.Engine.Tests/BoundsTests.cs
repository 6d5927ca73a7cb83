using System.Globalization;
using System.Text;

namespace Ssti.Engine.Tests;

/// <summary>Small files that would cost the memory or the days of a large machine, were they believed.</summary>
public sealed class BoundsTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void Expressions_cannot_spell_a_text_of_gigabytes() => Assert.Contains("SSTI1003: the expressions of this pipeline give more than", _box.Errors($$$"""
        params: { long: {{{new string('x', 100_000)}}} }
        stages: { a: { uses: text, matrix: { n: [{{{Numbers(1000)}}}] }, with: { text: "{{{string.Concat(Enumerable.Repeat("${{ params.long }} ", 20))}}}" } } }
        """));

    [Fact]
    public void Cells_cannot_multiply_a_long_list() => Assert.Contains("SSTI1003: the stages have more than", _box.Errors($$"""
        stages: { a: { uses: text, matrix: { n: [{{Numbers(1000)}}] }, with: { text: t, splits: [{{Numbers(30_000)}}] } } }
        """));

    [Fact]
    public void Cells_cannot_all_take_all_others() => Assert.Contains("more than 10000000 inputs in all", _box.Errors($$"""
        stages:
          a: { uses: text, matrix: { n: [{{Numbers(5000)}}] }, with: { text: t } }
          b: { uses: join, matrix: { m: [{{Numbers(5000)}}] }, needs: { parts: a } }
        """));

    [Fact]
    public void A_flood_of_unknown_names_is_answered_with_a_hundred_of_them()
    {
        var yaml = new StringBuilder("stages:\n");
        for (var i = 0; i < 20_000; i++) yaml.Append(CultureInfo.InvariantCulture, $"  stage-{i}: {{ uses: upper, needs: {{ data: stagge-{i} }} }}\n");
        var result = _box.TryLoad(yaml.ToString());

        Assert.Equal(100, result.Diagnostics.Count);
        Assert.Contains("did you mean 'stage-0'?", result.Diagnostics[0].Message);
    }

    [Fact]
    public void A_circle_of_thousands_of_stages_is_told()
    {
        const int count = 30_000;
        var yaml = new StringBuilder("stages:\n");
        for (var i = 0; i < count; i++) yaml.Append(CultureInfo.InvariantCulture, $"  s{i}: {{ uses: upper, needs: {{ data: s{(i + 1) % count} }} }}\n");

        Assert.Contains("stages need each other: s0 -> s1 -> ", _box.Errors(yaml.ToString()));
    }

    [Fact]
    public void A_name_of_a_million_characters_is_not_compared_with_all_others()
    {
        var name = new string('a', 1_000_000);
        Assert.Contains("unknown key 'nam'; did you mean 'name'?", _box.Errors($"nam: x\n? {name}\n: 1\nstages: {{ a: {{ uses: text, with: {{ text: x }} }} }}"));
    }

    [SkippableFact]
    public void A_link_over_a_link_cannot_lead_out_of_the_project_either()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need rights there");
        using var outside = new Sandbox();
        outside.Write("secret.txt", "secret");
        Directory.CreateDirectory(Path.Combine(_box.Folder, ".git"));
        // By its words the second link stays inside; by the way the kernel goes it does not.
        Directory.CreateSymbolicLink(Path.Combine(_box.Folder, "b"), outside.Folder);
        File.CreateSymbolicLink(Path.Combine(_box.Folder, "a"), Path.Combine("b", "secret.txt"));
        Directory.CreateDirectory(Path.Combine(_box.Folder, "data"));
        File.CreateSymbolicLink(Path.Combine(_box.Folder, "data", "c"), Path.Combine("..", "b", "secret.txt"));

        foreach (var source in (string[])["a", "b", "b/secret.txt", "data", "data/c"])
            Assert.Contains("by the link", _box.Errors($"stages: {{ s: {{ uses: text, with: {{ text: t, source: {source} }} }} }}"));
    }

    private static string Numbers(int count) => string.Join(", ", Enumerable.Range(0, count));
}
