using Ssti.Injection.Tokens;

namespace Ssti.Injection.Words;

/// <summary>Writes a text with tokens inserted between its words.</summary>
internal sealed class Composer(bool keepsWhitespace)
{
    private readonly WordScanner _words = new();

    /// <summary>The number of words of a text, which the insertions that follow are for.</summary>
    public int Read(ReadOnlySpan<char> text)
    {
        _words.Scan(text);
        return _words.Count;
    }

    /// <summary>Appends the text read last with insertions made in it.</summary>
    /// <param name="text">The text that was read.</param>
    /// <param name="origin">Where it begins in the step's input, for the trace.</param>
    /// <param name="insertions">What to insert, by positions in the list of words.</param>
    /// <param name="pieces">What the insertions' pieces are.</param>
    /// <param name="output">Where to write; it has room for the text and, for every insertion, its characters and a space.</param>
    /// <param name="trace">Told of every copy and insertion, when there is one.</param>
    public void Write(ReadOnlySpan<char> text, int origin, Insertions insertions, TokenTable pieces, CharBuffer output, Trace? trace)
    {
        var count = _words.Count;
        var (slots, order) = insertions.Settle(count);
        var writer = new Writer(text, origin, _words, keepsWhitespace, output, trace);
        var next = 0;
        var parted = false;
        if (count == 0 && keepsWhitespace) writer.Raw(0, text.Length);
        for (var i = 0; i < insertions.Count; i++)
        {
            var before = slots[i] - i;
            if (before > next)
            {
                if (!parted) writer.Gap(next);
                writer.Run(next, before);
                next = before;
                parted = false;
            }

            var token = pieces[order[i]];
            if (before < count)
            {
                // A token takes the place of the word it stands before, with the space that parts them.
                if (!parted) writer.Gap(before);
                parted = true;
                var start = output.Length;
                output.Append(token);
                output.Append(' ');
                trace?.Inserted(pieces, order[i], start, start, output.Length);
            }
            else
            {
                var start = output.Length;
                if (count > 0 || i > 0) output.Append(' ');
                var offset = output.Length;
                output.Append(token);
                trace?.Inserted(pieces, order[i], offset, start, output.Length);
            }
        }

        if (next < count)
        {
            if (!parted) writer.Gap(next);
            writer.Run(next, count);
        }

        if (keepsWhitespace && count > 0) writer.Raw(_words.End(count - 1), text.Length);
    }

    private readonly ref struct Writer(ReadOnlySpan<char> text, int origin, WordScanner words, bool keeps, CharBuffer output, Trace? trace)
    {
        private readonly ReadOnlySpan<char> _text = text;

        /// <summary>Copies characters as they stand.</summary>
        public void Raw(int from, int to)
        {
            trace?.Copied(origin + from, output.Length, to - from);
            output.Append(_text[from..to]);
        }

        /// <summary>What stands between a word and the one before it, or the front of the text.</summary>
        public void Gap(int word)
        {
            if (keeps)
            {
                Raw(word == 0 ? 0 : words.End(word - 1), words.Start(word));
            }
            else if (word > 0)
            {
                trace?.Copied(origin + words.End(word - 1), output.Length, 1);
                output.Append(' ');
            }
        }

        /// <summary>The words from one to another, exclusive, with what stands between them.</summary>
        public void Run(int from, int to)
        {
            if (!keeps && !words.IsRegular)
            {
                for (var word = from + 1; word < to; word++)
                {
                    var end = words.End(word - 1);
                    if (words.Start(word) == end + 1 && _text[end] == ' ') continue;
                    Raw(words.Start(from), end);
                    Gap(word);
                    from = word;
                }
            }

            Raw(words.Start(from), words.End(to - 1));
        }
    }
}
