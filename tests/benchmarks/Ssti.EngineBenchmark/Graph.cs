using System.Text;

namespace Ssti.EngineBenchmark;

/// <summary>One graph as three tools write it: ten layers, each stage needing the one before it in its column.</summary>
/// <param name="Stages">How many stages.</param>
/// <param name="Matrix">Whether a layer is one stage with a matrix (a rule with a wildcard), or every stage is written out.</param>
internal sealed record Graph(int Stages, bool Matrix)
{
    private const int Layers = 10;

    private int Width => Stages / Layers;

    public void WritePipeline(string path)
    {
        var text = new StringBuilder("name: bench\nseed: 1\nstages:\n");
        for (var layer = 0; layer < Layers; layer++)
        {
            if (Matrix && layer == 0)
            {
                text.Append("  s0: { uses: tick, matrix: { n: [").AppendJoin(", ", Enumerable.Range(0, Width))
                    .Append("] }, with: { value: \"${{ matrix.n }}\" } }\n");
            }
            else if (Matrix) text.Append($"  s{layer}: {{ uses: tick, needs: {{ from: s{layer - 1} }}, with: {{ value: \"${{{{ matrix.n }}}}\" }} }}\n");
            else
                for (var i = 0; i < Width; i++)
                    text.Append($"  s{layer}-{i}: {{ uses: tick, {(layer == 0 ? "" : $"needs: {{ from: s{layer - 1}-{i} }}, ")}with: {{ value: {i} }} }}\n");
        }

        File.WriteAllText(path, text.ToString());
    }

    public void WriteNinja(string path)
    {
        var text = new StringBuilder("rule tick\n  command = echo $out > $out\n\n");
        for (var layer = 0; layer < Layers; layer++)
            for (var i = 0; i < Width; i++) text.Append($"build out/s{layer}-{i}: tick").Append(layer == 0 ? "\n" : $" out/s{layer - 1}-{i}\n");
        File.WriteAllText(path, text.ToString());
    }

    public void WriteSnakefile(string path)
    {
        var last = Layers - 1;
        var text = new StringBuilder($"rule all:\n  input: expand('out/s{last}-{{i}}', i=range({Width}))\n");
        for (var layer = 0; layer < Layers; layer++)
        {
            if (Matrix) text.Append(Rule($"s{layer}", layer, "{i}"));
            else
                for (var i = 0; i < Width; i++) text.Append(Rule($"s{layer}_{i}", layer, i.ToString()));
        }

        File.WriteAllText(path, text.ToString());
    }

    private static string Rule(string name, int layer, string at) =>
        $"\nrule {name}:\n{(layer == 0 ? "" : $"  input: 'out/s{layer - 1}-{at}'\n")}  output: 'out/s{layer}-{at}'\n  shell: 'echo {{output}} > {{output}}'\n";
}
