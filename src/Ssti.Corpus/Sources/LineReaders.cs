using System.Text;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>A text a line; the label is the file's. White space at both ends goes, as in the Hub's rendering of rt-polarity.</summary>
internal sealed class LinesReader(Encoding encoding) : IRowReader
{
    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
        {
            var text = TextFiles.Decode(file, number, offset, bytes.Span, encoding).Trim();
            if (text.Length == 0) throw CorpusException.AtRow(file.Name, number, "an empty line where a text should stand");
            if (text.StartsWith(FastTextReader.Prefix, StringComparison.Ordinal))
            {
                throw CorpusException.AtRow(
                    file.Name, number, $"the line has a label of its own ('{FastTextReader.Prefix}…'), but the file's name was taken for its label: say 'format: fasttext'");
            }

            yield return new RawRow(number, null, text, file.Label);
        }
    }
}

/// <summary>
/// fastText's <c>__label__x text</c>. A line without a label is a text without one, and an empty line is none; a line with several labels
/// is refused, for a row has one here.
/// </summary>
internal sealed class FastTextReader(Encoding encoding) : IRowReader
{
    public const string Prefix = "__label__";

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
        {
            var text = TextFiles.Decode(file, number, offset, bytes.Span, encoding).Trim();
            if (text.Length == 0) continue;
            string? label = null;
            if (text.StartsWith(Prefix, StringComparison.Ordinal))
            {
                var end = text.AsSpan().IndexOfAny(' ', '\t');
                if (end < 0) throw CorpusException.AtRow(file.Name, number, "a label without a text");
                (label, text) = (text[Prefix.Length..end], text[end..].TrimStart());
                if (text.Contains(Prefix, StringComparison.Ordinal))
                    throw CorpusException.AtRow(file.Name, number, "the line has several labels; a row has one here: keep one a line");
            }
            else if (text.Contains(Prefix, StringComparison.Ordinal))
            {
                throw CorpusException.AtRow(file.Name, number, $"the label ('{Prefix}…') does not stand at the beginning of the line: put it there");
            }

            yield return new RawRow(number, null, text, label);
        }
    }
}

/// <summary>Financial PhraseBank (Malo et al. 2014): <c>sentence@label</c>. Sentences may hold an @, so the last one counts.</summary>
internal sealed class PhrasebankReader(Encoding encoding) : IRowReader
{
    public static readonly IReadOnlyList<string> Labels = ["negative", "neutral", "positive"];

    public IReadOnlyList<string> LabelNames(SourceFile file, string path) => Labels;

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
        {
            var line = TextFiles.Decode(file, number, offset, bytes.Span, encoding);
            var at = line.LastIndexOf('@');
            if (at <= 0) throw CorpusException.AtRow(file.Name, number, "a line of Financial PhraseBank is 'sentence@label', but this has no @ behind a sentence");
            yield return new RawRow(number, null, line[..at], line[(at + 1)..].Trim());
        }
    }
}

/// <summary>A file a text; its name is its id (<c>neg/0_3</c>), its folder its label.</summary>
internal sealed class FolderReader(Encoding encoding) : IRowReader
{
    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        var text = new StringBuilder();
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
        {
            if (number > 1) text.Append('\n');
            text.Append(TextFiles.Decode(file, number, offset, bytes.Span, encoding));
        }

        var parts = file.Name.Split('/');
        yield return new RawRow(1, string.Join('/', parts[Math.Max(0, parts.Length - 2)..]).Split('.')[0], text.ToString(), file.Label);
    }
}
