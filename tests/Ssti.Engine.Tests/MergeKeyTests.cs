namespace Ssti.Engine.Tests;

/// <summary>Merge keys (<c>&lt;&lt;: *common</c>) belong to YAML 1.1: they are refused with a way out, wherever they stand.</summary>
public sealed class MergeKeyTests : IDisposable
{
    private const string Refused = "error SSTI1002: merge keys ('<<') are not part of YAML 1.2, and are not read";
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void A_merge_key_is_refused_where_it_stands_with_a_way_out()
    {
        var errors = _box.Errors("""
            params:
              common: &common { rank: 2 }
            stages:
              a: { uses: text, with: { <<: *common, text: x } }
            """);

        Assert.StartsWith($"p.yaml(4,28): {Refused}\n", errors);
        Assert.Contains("'params:'", errors);
        Assert.Contains("'matrix:'", errors);
        // One mistake, told once: not an unknown key besides.
        Assert.DoesNotContain("unknown key", errors);
    }

    [Theory]
    [InlineData("base: &b { uses: text }\nstages: { a: { <<: *b, with: { text: x } } }")]
    [InlineData("<<: { name: x }\nstages: { a: { uses: text, with: { text: x } } }")]
    [InlineData("stages: { a: { uses: text, with: { text: x, nested: { <<: { times: 2 } } } } }")]
    [InlineData("params: { x: &x { rank: 1 }, y: &y { big: 1 } }\nstages: { a: { uses: text, with: { <<: [*x, *y], text: x } } }")]
    [InlineData("stages: { a: { uses: text, with: { text: x }, matrix: { row: { one: { <<: { f: 1 } } } } } }")]
    public void Wherever_it_stands(string yaml) => Assert.Contains(Refused, _box.Errors(yaml));

    [Fact]
    public void In_an_included_file_and_on_the_command_line()
    {
        _box.Write("common.yaml", "stages: { b: { uses: text, with: { <<: { rank: 1 }, text: x } } }");
        Assert.Contains("common.yaml(1,", _box.Errors("include: [common.yaml]\nstages: { a: { uses: text, with: { text: x } } }"));
        Assert.Contains(Refused, _box.Errors("stages: { a: { uses: text, with: { text: x } } }", "a.nested={ <<: { times: 1 } }"));
    }

    [Fact]
    public void A_quoted_one_is_a_key_like_any_other() =>
        Assert.Contains("unknown key '<<'", _box.Errors("stages: { a: { uses: text, with: { text: x, '<<': 1 } } }"));

    [Fact]
    public void A_whole_alias_is_fine() =>
        Assert.NotNull(_box.Load("stages: { a: { uses: text, with: &w { text: x } }, b: { uses: text, with: *w } }"));
}
