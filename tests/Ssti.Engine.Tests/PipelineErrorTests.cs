namespace Ssti.Engine.Tests;

public sealed class PipelineErrorTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void An_unknown_key_names_its_place_and_the_nearest_right_one() => Assert.Equal(
        """
        p.yaml(4,24): error SSTI2003: unknown key 'word-shar'; did you mean 'word-share'?
          parameters of 'text': text, rank, word-share, exact, letter, splits, nested, source, big
        """,
        _box.Errors("""
            stages:
              a:
                uses: text
                with: { text: one, word-shar: 0.5 }
            """));

    [Fact]
    public void All_mistakes_of_a_file_are_told_at_once()
    {
        var errors = _box.Errors("""
            nam: x
            stages:
              a:
                uses: txt
              b:
                uses: text
                with: { rank: many, exact: 1, letter: upper-cas, splits: train, nested: { tims: 2 }, big: 1.5 }
              c:
                uses: upper
                needs: { dat: a }
              d:
                uses: upper
              e:
                uses: upper
                needs: { data: nowhere }
                retries: -1
            """);

        Assert.Contains("(1,1): error SSTI2003: unknown key 'nam'; did you mean 'name'?", errors);
        Assert.Contains("(4,11): error SSTI2005: unknown stage kind 'txt'; did you mean 'text'?", errors);
        Assert.Contains("(7,19): error SSTI2001: 'rank' must be an integer, not the text 'many'", errors);
        Assert.Contains("(7,32): error SSTI2001: 'exact' must be true or false, not the integer 1", errors);
        Assert.Contains("(7,43): error SSTI2004: 'letter' cannot be the text 'upper-cas'; did you mean 'upper-case'?\n  it is one of: lower-case, upper-case", errors);
        Assert.Contains("'splits' must be a list, each item a text, not the text 'train'", errors);
        Assert.Contains("unknown key 'tims'; did you mean 'times'?", errors);
        Assert.Contains("'big' must be an integer, not the number 1.5", errors);
        Assert.Contains("error SSTI2002: the parameter 'text' of 'text' is missing\n  add 'text: a text' under 'with:': what to write", errors);
        Assert.Contains("(10,14): error SSTI3002: unknown input 'dat'; did you mean 'data'?\n  inputs of 'upper': data", errors);
        Assert.Contains("(11,3): error SSTI3003: the stage 'd' lacks the input 'data' of 'upper'\n  add 'data: <stage>' under 'needs:'; it is a text", errors);
        Assert.Contains("'retries' must be an integer from 0 to 100, not the integer -1", errors);
    }

    [Theory]
    [InlineData("", "SSTI2001: the file is empty")]
    [InlineData("- a", "SSTI2001: a pipeline is a mapping, not a list")]
    [InlineData("stages: [", "SSTI1002: not valid YAML")]
    [InlineData("stages: {}", "SSTI2002: the pipeline has no stages")]
    [InlineData("a: 1\na: 2", "SSTI1004: the key 'a' stands twice\n  the first is at p.yaml(1,1)")]
    [InlineData("a: &x [*x]", "SSTI1002: the alias '*x' stands within what it names")]
    [InlineData("a: *nobody", "SSTI1002: ")]
    [InlineData("a: !!python/object:os.system x", "SSTI1002: the tag")]
    [InlineData("a: 1\n---\nb: 2", "SSTI1002: a second document")]
    [InlineData("stages: { params: { uses: text } }", "SSTI2006: a stage cannot be named 'params'")]
    [InlineData("stages: { a b: { uses: text } }", "SSTI2006: 'a b' cannot name a stage")]
    [InlineData("stages: { a: { uses: upper, needs: { data: b } }, b: { uses: upper, needs: { data: a } } }", "SSTI3004: stages need each other: a -> b -> a")]
    [InlineData("stages: { a: { uses: upper, needs: { data: a } } }", "SSTI3004: stages need each other: a -> a")]
    [InlineData("stages: { a: { uses: upper, needs: { data: bb } }, b: { uses: text, with: { text: x } } }", "SSTI3001: unknown stage 'bb'; did you mean 'b'?")]
    [InlineData("stages: { a: { uses: text, with: { text: '${{ params.x }}' } } }", "SSTI2009: unknown parameter 'x'")]
    [InlineData("params: { rank: 1 }\nstages: { a: { uses: text, with: { text: '${{ params.rnk }}' } } }", "SSTI2009: unknown parameter 'rnk'; did you mean 'rank'?")]
    [InlineData("stages: { a: { uses: text, with: { text: '${{ env.HOME }}' } } }", "SSTI2009: 'env.HOME' is no expression")]
    [InlineData("stages: { a: { uses: text, with: { text: '${{ matrix.x }}' } } }", "SSTI2009: unknown matrix dimension 'x'")]
    [InlineData("stages: { a: { uses: text, with: { text: 'a ${params.x}' } } }", "SSTI2009: '${params.' begins no expression")]
    [InlineData("stages: { a: { uses: text, with: { text: 'a ${{ params.x' } } }", "SSTI2009: '${{' without '}}'")]
    [InlineData("stages: { a: { uses: text, with: { text: x, rank: -1 } } }", "SSTI2101: 'rank': must not be negative")]
    [InlineData("stages: { a: { uses: text, with: { text: x, rank: 99999999999 } } }", "SSTI2001: 'rank' must be an integer")]
    [InlineData("stages: { a: { uses: text, with: { text: x, source: ../../etc/passwd } } }", "SSTI2010: 'source': the path '../../etc/passwd' leads out of ")]
    [InlineData("stages: { a: { uses: text, with: { text: x, source: /etc/passwd } } }", "SSTI2010")]
    [InlineData("stages: { a: { uses: text, with: { text: x, source: nothing.txt } } }", "SSTI2011: 'source': there is no file or folder 'nothing.txt'")]
    [InlineData("include: [../outside.yaml]\nstages: {}", "SSTI2010: the path '../outside.yaml' leads out of ")]
    [InlineData("include: [p.yaml]\nstages: { a: { uses: text, with: { text: x } } }", "SSTI2008: 'p.yaml' includes itself")]
    [InlineData("include: [.]", "SSTI1001: cannot read '.': it is a folder")]
    [InlineData("include: [nothing.yaml]", "SSTI1001: cannot read 'nothing.yaml': there is no such file")]
    [InlineData("compute: { device: gpu }\nstages: { a: { uses: text, with: { text: x } } }", "SSTI2004: 'device' cannot be the text 'gpu'")]
    [InlineData("seed: x\nstages: { a: { uses: text, with: { text: x } } }", "SSTI2001: 'seed' must be an integer from 0 up")]
    public void A_mistake_has_its_code_and_its_words(string yaml, string expected) => Assert.Contains(expected, _box.Errors(yaml));

    [Theory]
    [InlineData("a.rank", "--set a.rank: error SSTI4001: expected name=value")]
    [InlineData("a.rnk=3", "--set a.rnk: error SSTI2003: unknown key 'rnk'; did you mean 'rank'?")]
    [InlineData("a.rank=x", "--set a.rank: error SSTI2001: 'rank' must be an integer, not the text 'x'")]
    [InlineData("b.rank=3", "--set b.rank: error SSTI4002: unknown stage 'b'; did you mean 'a'?")]
    [InlineData("params.sed=3", "--set params.sed: error SSTI4002: unknown parameter 'sed'; did you mean 'seed'?")]
    [InlineData("compute.devic=cuda", "--set compute.devic: error SSTI2003: unknown key 'devic'; did you mean 'device'?")]
    [InlineData("a.source=nowhere", "--set a.source: error SSTI2011: 'source': there is no file or folder 'nowhere'")]
    [InlineData("a.nested.times=x", "--set a.nested.times: error SSTI2001: 'nested.times' must be an integer, not the text 'x'")]
    [InlineData("a.splits=[train", "error SSTI1002")]
    public void A_mistake_on_the_command_line_is_told_as_well_as_one_in_a_file(string set, string expected) =>
        Assert.Contains(expected, _box.Errors("params: { seed: 1 }\nstages: { a: { uses: text, with: { text: x } } }", set));

    [Theory]
    [InlineData("'${{ params.x }}'")]
    [InlineData("'${{ params.x'")]
    [InlineData("'${params.x}'")]
    [InlineData("'${{ x }}'")]
    public void A_wrong_expression_is_one_mistake_whatever_was_to_be_there(string rank) =>
        Assert.Single(_box.Errors($"stages: {{ a: {{ uses: text, with: {{ text: x, rank: {rank} }} }} }}").Split('\n'), line => line.Contains("error", StringComparison.Ordinal));

    [Fact]
    public void Aliases_that_multiply_are_refused_before_they_cost_anything()
    {
        var bomb = string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        Assert.Contains("SSTI1003: aliases stand for more than", _box.Errors("a0: &a0 [x]\n" + bomb));
    }

    [Fact]
    public void Depth_is_bounded() => Assert.Contains("SSTI1003: nested deeper", _box.Errors(new string('[', 100_000)));

    [Fact]
    public void A_stage_in_two_files_is_an_error_that_names_both_places()
    {
        _box.Write("common.yaml", "stages:\n  a: { uses: text, with: { text: x } }\n");

        Assert.Contains("common.yaml(2,3): error SSTI2007: the stage 'a' is defined twice\n  the other is at p.yaml(3,3): rename one",
            _box.Errors("include: [common.yaml]\nstages:\n  a: { uses: text, with: { text: y } }\n"));
    }

    [Fact]
    public void A_link_that_leads_out_of_the_project_is_refused()
    {
        File.CreateSymbolicLink(Path.Combine(_box.Folder, "link"), "/etc");

        Assert.Contains("leads out of ROOT by the link", _box.Errors("stages: { a: { uses: text, with: { text: x, source: link/hostname } } }"));
    }
}
