using Ssti.Engine.Pipelines;

namespace Ssti.Engine.Tests;

public sealed class MatrixTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void A_matrix_is_the_product_of_its_dimensions_the_first_outermost() => Assert.Equal(
        "a@0-40 a@0-45 a@1-40 a@1-45",
        Names("stages: { a: { uses: text, matrix: { label: [0, 1], seed: [40, 45] }, with: { text: '${{ matrix.label }}' }, seed: '${{ matrix.seed }}' } }"));

    [Fact]
    public void Values_keep_their_type_and_named_cells_give_their_fields()
    {
        var pipeline = _box.Load("""
            stages:
              a:
                uses: text
                matrix:
                  row:
                    base: { target: 0, share: 0 }
                    class-1: { target: 1, share: 0.5 }
                with: { text: "${{ matrix.row }} to ${{ matrix.row.target }}", rank: "${{ matrix.row.target }}", word-share: "${{ matrix.row.share }}" }
            """);
        var bound = (TextParameters)pipeline.Instances[1].Parameters;

        Assert.Equal("a@class-1", pipeline.Instances[1].Name);
        Assert.Equal(("class-1 to 1", 1, 0.5), (bound.Text, bound.Rank, bound.WordShare));
        Assert.Equal("class-1", pipeline.Instances[1].Cell["row"]);
        Assert.Equal(pipeline.Instances[0].Seed, pipeline.Instances[1].Seed);
    }

    [Fact]
    public void An_input_of_one_tree_hands_its_dimensions_on()
    {
        var pipeline = _box.Load("""
            stages:
              a: { uses: text, matrix: { label: [0, 1] }, with: { text: x } }
              b: { uses: copy, needs: { data: a }, with: { prefix: "${{ matrix.label }}" } }
            """);

        Assert.Equal("a@0 a@1 b@0 b@1", Names(pipeline));
        Assert.Equal("b@1<a@1", Edges(pipeline, "b@1"));
        Assert.Equal("1", ((CopyParameters)pipeline.Instances[3].Parameters).Prefix);
    }

    [Fact]
    public void Dimensions_of_one_name_are_joined_and_others_multiply()
    {
        var pipeline = _box.Load("""
            stages:
              data: { uses: text, matrix: { label: [0, 1] }, with: { text: x } }
              model: { uses: copy, needs: { data: data }, matrix: { rank: [1, 8] } }
              eval: { uses: copy, needs: { data: data, model: model }, matrix: { test: [clean, spurious] } }
            """);

        Assert.Equal(["label", "rank"], pipeline.Stages.Single(s => s.Name == "model").Dimensions);
        Assert.Equal(["label", "rank", "test"], pipeline.Stages.Single(s => s.Name == "eval").Dimensions);
        Assert.Equal(8, pipeline.Stages.Single(s => s.Name == "eval").InstanceCount);
        Assert.Equal("eval@1-8-clean<data@1,model@1-8", Edges(pipeline, "eval@1-8-clean"));
    }

    [Fact]
    public void An_own_dimension_of_an_inherited_name_chooses_cells() => Assert.Equal(
        "a@0 a@1 a@2 b@0 b@2",
        Names("stages: { a: { uses: text, matrix: { x: [0, 1, 2] }, with: { text: x } }, b: { uses: upper, needs: { data: a }, matrix: { x: [0, 2] } } }"));

    [Fact]
    public void An_own_value_that_no_input_has_is_an_error() => Assert.Contains(
        "SSTI3008: the matrix of 'b' has the cell '5', which no other input has",
        _box.Errors("stages: { a: { uses: text, matrix: { x: [0, 1] }, with: { text: x } }, b: { uses: upper, needs: { data: a }, matrix: { x: [0, 5] } } }"));

    [Fact]
    public void An_input_of_many_collects_all_cells_in_order_whatever_their_dimensions()
    {
        var pipeline = _box.Load("""
            stages:
              a: { uses: text, matrix: { row: [base, c0], seed: [40, 45] }, with: { text: x } }
              lone: { uses: text, with: { text: y } }
              table: { uses: join, needs: { parts: [a, lone] } }
              base: { uses: join, needs: { parts: a@base-* } }
            """);

        Assert.Equal("table<a@base-40,a@base-45,a@c0-40,a@c0-45,lone", Edges(pipeline, "table"));
        Assert.Equal("base<a@base-40,a@base-45", Edges(pipeline, "base"));
    }

    [Fact]
    public void An_input_of_many_collects_the_cells_that_agree_with_the_consumers()
    {
        var pipeline = _box.Load("""
            stages:
              a: { uses: text, matrix: { row: [base, c0], seed: [40, 45] }, with: { text: x } }
              title: { uses: text, matrix: { seed: [40, 45] }, with: { text: y } }
              table: { uses: join, needs: { parts: a, title: title } }
            """);

        Assert.Equal("a@base-40 a@base-45 a@c0-40 a@c0-45 title@40 title@45 table@40 table@45", Names(pipeline));
        Assert.Equal("table@45<a@base-45,a@c0-45,title@45", Edges(pipeline, "table@45"));
    }

    [Fact]
    public void One_cell_by_name_is_one_tree_and_hands_nothing_on()
    {
        var pipeline = _box.Load("""
            stages:
              a: { uses: text, matrix: { row: [base, c0] }, with: { text: x } }
              eval: { uses: copy, needs: { data: a, model: a@base } }
              lone: { uses: upper, needs: { data: a@c0 } }
            """);

        Assert.Equal("eval@c0<a@c0,a@base", Edges(pipeline, "eval@c0"));
        Assert.Equal("lone<a@c0", Edges(pipeline, "lone"));
    }

    [Fact]
    public void A_glob_that_leaves_one_value_of_a_dimension_has_chosen_it()
    {
        var pipeline = _box.Load("""
            stages:
              a: { uses: text, matrix: { row: [base, c0], seed: [40, 45] }, with: { text: x } }
              b: { uses: upper, needs: { data: a@base-* } }
            """);

        Assert.Equal(["b@40", "b@45"], pipeline.Instances.Where(i => i.Stage == "b").Select(i => i.Name));
    }

    [Theory]
    [InlineData("matrix: { x: [] }", "SSTI3006: the matrix dimension 'x' must be a list")]
    [InlineData("matrix: { x: 3 }", "SSTI3006: the matrix dimension 'x' must be a list")]
    [InlineData("matrix: { x: [a, a] }", "SSTI3006: the value 'a' stands twice")]
    [InlineData("matrix: { x: [1, 1.0] }", "SSTI3006: the value '1' stands twice")]
    [InlineData("matrix: { x: [a/b] }", "SSTI3006: the text 'a/b' cannot be a value")]
    [InlineData("matrix: { x: ['..'] }", "SSTI3006: the text '..' cannot be a value")]
    [InlineData("matrix: { x: [a, a-b], y: [b-c, c] }", "SSTI3006: two cells are both named 's@a-b-c'")]
    [InlineData("matrix: { x: { a: 3 } }", "SSTI3006: the cell 'a' of 'x' must be a mapping")]
    public void A_matrix_that_cannot_be_is_told(string matrix, string expected) =>
        Assert.Contains(expected, _box.Errors($"stages: {{ s: {{ uses: text, with: {{ text: x }}, {matrix} }} }}"));

    [Fact]
    public void A_matrix_is_bounded()
    {
        var dimension = $"[{string.Join(", ", Enumerable.Range(0, 100))}]";

        Assert.Contains(
            "SSTI3006: the matrix has more than 200000 cells",
            _box.Errors($"stages: {{ s: {{ uses: text, with: {{ text: x }}, matrix: {{ a: {dimension}, b: {dimension}, c: {dimension} }} }} }}"));
        Assert.Contains("SSTI3006", _box.Errors($$"""
            stages:
              a: { uses: text, with: { text: x }, matrix: { a: {{dimension}}, b: {{dimension}} } }
              b: { uses: text, with: { text: x }, matrix: { c: {{dimension}} } }
              c: { uses: copy, needs: { data: a, model: b } }
            """));
    }

    [Fact]
    public void A_cell_that_does_not_exist_names_the_nearest() => Assert.Contains(
        "SSTI3007: unknown cell 'a@bse'; did you mean 'a@base'?",
        _box.Errors("stages: { a: { uses: text, matrix: { row: [base, c0] }, with: { text: x } }, b: { uses: upper, needs: { data: a@bse } } }"));

    [Theory]
    [InlineData("{ splits: [train, test] }", "{ splits: [train, test] }")]
    [InlineData("{ splits: [train, test] }", "{ splits: [ 'train', \"test\" ] }")]
    [InlineData("{ a: 1, b: [1.0, { c: [x], d: null }] }", "{ b: [1, { d: ~, c: [x] }], a: 1.0 }")]
    [InlineData("{ splits: [] }", "{ splits: [] }")]
    [InlineData("{ deep: { er: { still: [[1], [2, 3]] } } }", "{ deep: { er: { still: [[1], [2, 3]] } } }")]
    [InlineData("{ list: '${{ params.list }}' }", "{ list: [x, y] }")]
    public void Cells_that_say_the_same_join_whatever_they_hold(string one, string other) => Assert.Equal(
        "a@c b@c d@c", Names(TwoCells(one, other)));

    [Theory]
    [InlineData("{ f: [train, test] }", "{ f: [test, train] }")]
    [InlineData("{ f: [train] }", "{ f: [train, train] }")]
    [InlineData("{ f: [train] }", "{ f: train }")]
    [InlineData("{ f: { x: 1 } }", "{ f: { x: 2 } }")]
    [InlineData("{ f: { x: 1 } }", "{ f: { x: 1, y: 1 } }")]
    [InlineData("{ f: { x: 1 } }", "{ f: [x, 1] }")]
    [InlineData("{ f: 1 }", "{ f: '1' }")]
    [InlineData("{ f: null }", "{ f: 'null' }")]
    [InlineData("{ f: true }", "{ f: 'true' }")]
    [InlineData("{ a: 1, f: 1 }", "{ a: 1 }")]
    [InlineData("{ a: 1 }", "{ a: 1, f: 1 }")]
    public void Cells_of_one_name_that_say_different_things_are_an_error_that_names_the_field(string one, string other)
    {
        var errors = _box.Errors(TwoCells(one, other));

        Assert.Contains("SSTI3006: the input 'model' of 'd' has another 'f' for the cell 'c' of 'row' than another input", errors);
        Assert.Contains("the cell is written at p.yaml(3,", errors);
        Assert.Contains("and at p.yaml(4,", errors);
    }

    private static string TwoCells(string one, string other) => $$"""
        params: { list: [x, y] }
        stages:
          a: { uses: text, with: { text: x }, matrix: { row: { c: {{one}} } } }
          b: { uses: text, with: { text: y }, matrix: { row: { c: {{other}} } } }
          d: { uses: copy, needs: { data: a, model: b } }
        """;

    private static string Names(Pipeline pipeline) => string.Join(' ', pipeline.Instances.Select(i => i.Name));

    private static string Edges(Pipeline pipeline, string instance)
    {
        var at = pipeline.Instances.Single(i => i.Name == instance);
        return $"{at.Name}<{string.Join(',', at.Inputs.SelectMany(i => i.From).Select(i => pipeline.Instances[i].Name))}";
    }

    private string Names(string yaml) => Names(_box.Load(yaml));
}
