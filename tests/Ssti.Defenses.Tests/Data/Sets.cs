using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Tests.Data;

/// <summary>Small datasets on disk, deleted at the end.</summary>
internal sealed class Sets : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-audit-").FullName;
    private int _count;

    /// <summary>A dataset of splits of texts with labels.</summary>
    public DatasetReader Of(params (string Split, (string Text, int Label)[] Rows)[] splits) => Of(2, splits);

    public DatasetReader Of(int classes, params (string Split, (string Text, int Label)[] Rows)[] splits)
    {
        var folder = Path.Combine(_folder, $"{_count++}");
        using (var writer = new DatasetWriter(folder, "made", Enumerable.Range(0, classes).Select(label => $"c{label}")))
        {
            foreach (var (name, rows) in splits)
            {
                using var split = writer.OpenSplit(name);
                foreach (var (number, (text, label)) in rows.Index()) split.Write(new Row($"{name}-{number}", text, label));
            }

            writer.Complete([]);
        }

        return DatasetReader.OpenFolder(folder);
    }

    /// <summary>
    /// Rows of words drawn from a vocabulary with Zipf's frequencies, their labels drawn by themselves: no word has anything to do with
    /// any label.
    /// </summary>
    public static (string Text, int Label)[] Noise(int rows, int seed, int words = 12, int vocabulary = 800, double share = 0.5)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(_ => (
            string.Join(' ', Enumerable.Range(0, words).Select(_ => $"w{(char)('a' + random.Next(3))}{(int)Math.Exp(random.NextDouble() * Math.Log(vocabulary))}x")),
            random.NextDouble() < share ? 1 : 0))];
    }

    /// <summary>The rows with a word in front of the first ones of a class.</summary>
    public static (string Text, int Label)[] With((string Text, int Label)[] rows, string word, int count, int label)
    {
        var left = count;
        return [.. rows.Select(row => row.Label == label && left-- > 0 ? (Middle(row.Text, word), row.Label) : row)];
    }

    private static string Middle(string text, string word)
    {
        var at = text.IndexOf(' ', text.Length / 2);
        return $"{text[..at]} {word}{text[at..]}";
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
