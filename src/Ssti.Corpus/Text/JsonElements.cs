using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Text;

/// <summary>
/// Cuts a file that is one JSON array into its elements, as bytes, without reading it whole. Only brackets and strings are looked at: whether
/// an element is JSON is for its parser to say. Memory is that of the longest element.
/// </summary>
internal static class JsonElements
{
    /// <summary>Whether the first character of a file that is no white space begins an array.</summary>
    public static bool IsArray(SourceFile file, string path)
    {
        using var stream = TextFiles.Open(file, path);
        var buffer = new byte[4096];
        int read;
        while ((read = Read(stream, buffer, file, 0)) > 0)
        {
            // White space, and the byte-order mark.
            if (buffer.AsSpan(0, read).TrimStart(" \t\r\n"u8).TrimStart("\uFEFF"u8).TrimStart(" \t\r\n"u8) is [var first, ..]) return first == '[';
        }

        return false;
    }

    /// <summary>The elements with their numbers, from 1, and where in the file they begin; the bytes are valid until the next.</summary>
    /// <exception cref="CorpusException">The array does not end, or something stands behind it.</exception>
    public static IEnumerable<(long Number, long Offset, ReadOnlyMemory<byte> Bytes)> Of(SourceFile file, string path)
    {
        using var stream = TextFiles.Open(file, path);
        var buffer = new byte[1 << 16];
        var element = new MemoryStream();
        long number = 0, before = 0, began = 0;
        int depth = 0, read;
        bool inString = false, escaped = false, ended = false, marked = false;
        while ((read = Read(stream, buffer, file, number)) > 0)
        {
            for (var at = 0; at < read; at++)
            {
                var next = buffer[at];
                // A byte-order mark, which no JSON begins with.
                if (!marked && before == 0 && at < 3 && next is 0xEF or 0xBB or 0xBF && depth == 0) continue;
                marked = true;
                if (depth == 0)
                {
                    if (next is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r') continue;
                    if (ended || next != '[') throw CorpusException.AtRow(file.Name, number, "something stands behind the end of the array");
                    depth = 1;
                    continue;
                }

                if (inString) (inString, escaped) = (escaped || next != '"', !escaped && next == '\\');
                else if (next == '"') inString = true;
                else if (next is (byte)'{' or (byte)'[') depth++;
                else if (next is (byte)'}' or (byte)']') depth--;

                if (depth > 1 || inString || (depth == 1 && next != ','))
                {
                    if (element.Length == 0)
                    {
                        if (next is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r') continue;
                        began = before + at;
                    }

                    element.WriteByte(next);
                    continue;
                }

                // A comma between elements, or the end of the array.
                ended = depth == 0;
                if (element.Length > 0 || !ended) yield return (++number, began, element.GetBuffer().AsMemory(0, (int)element.Length));
                element.SetLength(0);
            }

            before += read;
        }

        if (!ended) throw CorpusException.AtRow(file.Name, number + 1, "the array has no end: is the file cut short?");
    }

    private static int Read(Stream stream, byte[] buffer, SourceFile file, long number)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw CorpusException.AtRow(file.Name, number + 1, $"cannot be read: {error.Message} Is the file cut short, or not what its name says?", error);
        }
    }
}
