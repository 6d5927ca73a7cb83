using System.Text;
using System.Text.Unicode;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Text;

/// <summary>Opens text files of a source, compressed or not, and decodes them strictly.</summary>
internal static class TextFiles
{
    /// <summary>The names under which an encoding can be asked for.</summary>
    public static readonly IReadOnlyList<string> Encodings = ["utf-8", "latin-1", "windows-1252", "ascii"];

    /// <summary>A decoder that throws on bytes its encoding does not have.</summary>
    public static Encoding Strict(string name)
    {
        var known = name.ToLowerInvariant() switch
        {
            "utf-8" or "utf8" => "utf-8",
            "latin-1" or "latin1" or "iso-8859-1" => "iso-8859-1",
            "windows-1252" or "cp1252" => "windows-1252",
            "ascii" or "us-ascii" => "us-ascii",
            _ => throw new CorpusException($"unknown encoding '{name}'; known: {string.Join(", ", Encodings)}"),
        };
        return CodePagesEncodingProvider.Instance.GetEncoding(known, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
            ?? Encoding.GetEncoding(known, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
    }

    /// <summary>The bytes of a file, unpacked when its name ends in .gz.</summary>
    public static Stream Open(SourceFile file, string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, file.IsGzip ? 1 << 16 : 0, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"cannot open {file.Name}: {error.Message}", error);
        }

        return file.IsGzip ? new WholeGzipStream(stream) : stream;
    }

    /// <summary>Throws when a file is not the data that its name says but what a failed download left: a Git LFS pointer, or a page.</summary>
    /// <exception cref="CorpusException">It is; the message says what to do.</exception>
    public static void RequireData(SourceFile file, string path)
    {
        var buffer = new byte[64];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var head = Encoding.Latin1.GetString(buffer, 0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)).TrimStart();
        if (head.StartsWith("version https://git-lfs.github.com/", StringComparison.Ordinal))
            throw new CorpusException($"{file.Name} is a pointer of Git LFS, not the data: fetch it with 'git lfs pull'");
        var packed = head switch
        {
            [(char)0x1F, (char)0x8B, ..] when !file.IsGzip => "gzip's: name it so that it ends in .gz",
            ['P', 'K', (char)3, (char)4, ..] => "that of a ZIP archive or an Excel sheet: unpack it, or save it as CSV",
            ['P', 'A', 'R', '1', ..] when file.Format != SourceFormat.Parquet => "Parquet's: name it .parquet",
            [(char)0xFD, '7', 'z', 'X', 'Z', ..] => "xz's: unpack it",
            ['(', (char)0xB5, '/', (char)0xFD, ..] => "that of Zstandard: unpack it",
            _ => null,
        };
        if (packed is not null) throw new CorpusException($"{file.Name} is not what its name says: its beginning is {packed}");
        if (file is { IsGzip: false, Format: not SourceFormat.Parquet } && Zeros(head) is { } unmarked) throw new CorpusException($"{file.Name} {unmarked}");
        if (file.Format is not (SourceFormat.Folder or SourceFormat.Lines) && head.StartsWith("<!DOCTYPE html", StringComparison.OrdinalIgnoreCase))
            throw new CorpusException($"{file.Name} is a web page, not data: did its download fail?");
    }

    // A mark at the beginning tells UTF-16 and UTF-32 by itself; without one every other byte of Latin letters is zero.
    private static string? Zeros(string head)
    {
        if (head is ['\xFF', '\xFE', ..] or ['\xFE', '\xFF', ..] or ['\0', '\0', '\xFE', '\xFF', ..]) return null;
        if (head.Count(c => c == '\0') * 4 < head.Length || head.Length < 8) return null;
        var (even, odd) = (head.Where((c, at) => c == '\0' && at % 2 == 0).Count(), head.Where((c, at) => c == '\0' && at % 2 == 1).Count());
        return (even, odd) switch
        {
            (0, _) => "is UTF-16 without a byte-order mark: save it as UTF-8 ('iconv -f utf-16le -t utf-8')",
            (_, 0) => "is UTF-16 without a byte-order mark: save it as UTF-8 ('iconv -f utf-16be -t utf-8')",
            _ => "begins with zero bytes: it is no text, or text of an encoding that is not read; save it as UTF-8",
        };
    }

    /// <summary>The lines of a file with their numbers, as bytes valid until the next.</summary>
    public static IEnumerable<(long Number, long Offset, ReadOnlyMemory<byte> Bytes)> Lines(SourceFile file, string path)
    {
        using var lines = new LineScanner(Open(file, path));
        while (true)
        {
            ReadOnlyMemory<byte> bytes;
            try
            {
                if (!lines.TryRead(out bytes)) break;
            }
            catch (Exception error) when (error is InvalidDataException or IOException)
            {
                throw CorpusException.AtRow(file.Name, lines.Line + 1, $"cannot be read: {error.Message} Is the file cut short, or not what its name says?", error);
            }

            yield return (lines.Line, lines.Offset, bytes);
        }
    }

    /// <summary>A line as text.</summary>
    /// <exception cref="CorpusException">It holds bytes the encoding does not have; the message gives line, offset and remedy.</exception>
    public static string Decode(SourceFile file, long number, long offset, ReadOnlySpan<byte> bytes, Encoding encoding)
    {
        try
        {
            return encoding.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            // The index is that of the first bad byte; a negative one counts bytes held back from before, which a whole line never has.
            var index = Math.Max(0, error.Index);
            throw CorpusException.AtRow(file.Name, number, Undecodable(encoding, offset + index, error.BytesUnknown is [var bad, ..] ? bad : bytes[index]), error);
        }
    }

    /// <summary>Throws as <see cref="Decode"/> does unless a line is UTF-8.</summary>
    public static void RequireUtf8(SourceFile file, long number, long offset, ReadOnlySpan<byte> bytes, Encoding utf8)
    {
        if (!Utf8.IsValid(bytes)) Decode(file, number, offset, bytes, utf8);
    }

    private static string Undecodable(Encoding encoding, long offset, byte bad)
    {
        var others = string.Join(" or ", Encodings.Where(name => name is "latin-1" or "windows-1252").Select(name => $"'encoding: {name}'"));
        if (offset == 0 && bad is 0xFF or 0xFE) return "the file is UTF-16, which is not read line by line: save it as UTF-8 ('iconv -f utf-16 -t utf-8')";
        return $"byte 0x{bad:x2} at offset {offset} is not {encoding.WebName}; if the file is in another encoding, say so ({others})";
    }
}
