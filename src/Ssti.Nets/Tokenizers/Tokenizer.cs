namespace Ssti.Nets.Tokenizers;

/// <summary>
/// Turns a text into the ids that a model reads: what stands before the text, its pieces, what stands behind it, padding on the right. All that differs from one
/// family of models to another is asked of it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public abstract class Tokenizer
{
    /// <summary>What messages call its kind, such as <c>WordPiece</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>Number of ids: one more than the highest.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>
    /// The id that fills a row up: that of the padding token; where there is none, of the token that ends a text, as is usual with transformers
    /// (<c>pad_token = eos_token</c>).
    /// </summary>
    public abstract int PadId { get; }

    /// <summary>The id of what the vocabulary has no piece for; null where every byte has one.</summary>
    public abstract int? UnknownId { get; }

    /// <summary>The id that stands for a token to be guessed; null where the family has none.</summary>
    public abstract int? MaskId { get; }

    /// <summary>The ids in front of every text: [CLS], or a token that begins a text.</summary>
    public abstract IReadOnlyList<int> Before { get; }

    /// <summary>The ids behind every text, cut or whole: [SEP], or none.</summary>
    public abstract IReadOnlyList<int> Behind { get; }

    /// <summary>Tokens beside the vocabulary's pieces, the special ones among them.</summary>
    public abstract IReadOnlyList<AddedToken> Added { get; }

    /// <summary>The piece of an id, as the vocabulary writes it.</summary>
    public abstract string Piece(int id);

    /// <summary>A piece as people read it, without the blanks in front (so that it may be empty), and whether it goes on the word before it.</summary>
    public abstract (string Text, bool GoesOn) Shown(int id);

    /// <summary>Whether an id is that of a special token: it is no part of a text, and never masked.</summary>
    public abstract bool IsSpecial(int id);

    /// <summary>A digest of all that gives a text its ids.</summary>
    public abstract string Digest();

    /// <summary>What is doubtful about it, in a sentence each.</summary>
    /// <param name="title">What messages call the model.</param>
    public virtual IEnumerable<string> Doubts(string title) => [];

    /// <summary>The ids of a whole text with what stands before and behind it, untruncated.</summary>
    public int[] Encode(string text) => [.. Before, .. Pieces(text), .. Behind];

    /// <summary>The ids of a whole text alone.</summary>
    public int[] Pieces(string text)
    {
        var ids = new List<int>((text.Length / 4) + 2);
        var sink = new PieceSink([], int.MaxValue) { Overflow = ids };
        Run(text, ref sink);
        return [.. ids];
    }

    /// <summary>Where the pieces of a whole text begin.</summary>
    /// <returns>
    /// For each id of <see cref="Encode(string)"/> the index of a character of the text: the first that is no white space of its piece, or of the word that the
    /// piece is of; -1 for what stands before and behind the text.
    /// </returns>
    public int[] Starts(string text)
    {
        var starts = new List<int>((text.Length / 4) + 2);
        var sink = new PieceSink([], int.MaxValue) { Overflow = [], Starts = starts };
        Run(text, ref sink);
        return [.. Before.Select(_ => -1), .. starts, .. Behind.Select(_ => -1)];
    }

    /// <summary>
    /// Writes the ids of a text with what stands before and behind it, cut to the length of <paramref name="ids"/> and padded on the right to fill it.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">Where the ids go; its length is the maximum length, at least that of what stands before and behind.</param>
    /// <returns>How many ids are not padding (the attention mask is that many ones), and what was cut off.</returns>
    public TokenCount Encode(string text, Span<int> ids)
    {
        var (before, behind) = (Before, Behind);
        var ends = before.Count + behind.Count;
        if (ids.Length < ends)
        {
            throw new ArgumentException(
                $"a maximum length of {ids.Length} leaves no room for {string.Join(" and ", before.Concat(behind).Select(Piece))}; use at least {ends + 1}", nameof(ids));
        }

        for (var i = 0; i < before.Count; i++) ids[i] = before[i];
        var sink = new PieceSink(ids[before.Count..^behind.Count], text.Length);
        Run(text, ref sink);
        for (var i = 0; i < behind.Count; i++) ids[before.Count + sink.Kept + i] = behind[i];
        ids[(ends + sink.Kept)..].Fill(PadId);
        return new TokenCount(sink.Kept + ends, sink.Total + ends, sink.CutAt);
    }

    /// <summary>Gives the pieces of a text to a sink, in their order.</summary>
    private protected abstract void Run(ReadOnlySpan<char> text, ref PieceSink sink);
}
