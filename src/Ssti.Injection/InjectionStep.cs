using Ssti.Injection.Randomness;
using Ssti.Injection.Tokens;
using Ssti.Injection.Words;

namespace Ssti.Injection;

/// <summary>A step at work: its streams, and what of its tokens is used up.</summary>
internal sealed class InjectionStep
{
    private readonly InjectionStepOptions _options;
    private readonly TokenTable _pieces;
    private readonly TokenDrawer _drawer;
    private readonly CPythonRandom _positions;
    private readonly CPythonRandom _tokens;
    private readonly Composer _composer;
    private readonly Insertions _insertions = new();
    private readonly string _positionsPurpose;
    private readonly string _tokensPurpose;

    public InjectionStep(InjectionStepOptions options, int index, WhitespaceHandling whitespace)
    {
        Check(options);
        _options = options;
        _pieces = options.IsHtml ? HtmlTags.Pieces(options.Tokens) : options.Tokens;
        _drawer = new TokenDrawer(options.Tokens, options.Replacement);
        _positions = new CPythonRandom(options.Seed);
        _tokens = options.TokenSeed is { } own ? new CPythonRandom(own) : _positions;
        _composer = new Composer(whitespace == WhitespaceHandling.Kept);
        _positionsPurpose = $"positions.{index}";
        _tokensPurpose = $"tokens.{index}";
    }

    /// <summary>Starts the streams of a row.</summary>
    public void StartRow(string rowId)
    {
        _positions.Seed(RowStreams.SeedOf(_options.Seed, _positionsPurpose, rowId));
        if (_options.TokenSeed is { } own) _tokens.Seed(RowStreams.SeedOf(own, _tokensPurpose, rowId));
    }

    /// <summary>Injects into a text.</summary>
    public void Apply(ReadOnlySpan<char> text, CharBuffer output, Trace? trace)
    {
        _insertions.Clear();
        if (_options is { IsHtml: true, Level: 0 })
        {
            Surround(text, output, trace);
            return;
        }

        var (start, end) = (0, text.Length);
        if (_options is { IsHtml: true, Level: { } level } && HtmlTags.ContentAt(text, level) is { } content) (start, end) = content;
        var inside = text[start..end];
        var words = _composer.Read(inside);
        if (_options.IsHtml) PlanTags(words);
        else PlanTokens(words);
        output.Start(text.Length + _insertions.Characters + _insertions.Count + 1);
        Copy(text, 0, start, output, trace);
        _composer.Write(inside, start, _insertions, _pieces, output, trace);
        Copy(text, end, text.Length, output, trace);
    }

    /// <summary>Tokens are drawn before positions.</summary>
    private void PlanTokens(int words)
    {
        var count = CountFor(words);
        var behind = _options.Location == InjectionLocation.End ? words : 0;
        for (var i = 0; i < count; i++)
        {
            var token = _drawer.Draw(_tokens);
            _insertions.Add(token, _pieces[token].Length, behind + i);
        }

        if (_options.Location != InjectionLocation.Random) return;
        for (var i = 0; i < count; i++) _insertions.Place(i, _positions.NextInteger(0, words + i));
    }

    /// <summary>A tag is drawn, then its opening tag's position, then its closing one's.</summary>
    private void PlanTags(int words)
    {
        var count = CountFor(words);
        var length = words;
        for (var i = 0; i < count; i++)
        {
            var line = _drawer.Draw(_tokens);
            var closed = _pieces[2 * line + 1].Length > 0;
            var open = _options.Location == InjectionLocation.Beginning ? 0 : _positions.NextInteger(0, length);
            Add(2 * line, open);
            if (!closed) continue;
            Add(2 * line + 1, _options.Location == InjectionLocation.End ? length : _positions.NextInteger(open + 1, length));
        }

        void Add(int piece, int position)
        {
            _insertions.Add(piece, _pieces[piece].Length, position);
            length++;
        }
    }

    private void Surround(ReadOnlySpan<char> text, CharBuffer output, Trace? trace)
    {
        var line = _drawer.Draw(_tokens);
        var open = 2 * line;
        var close = _pieces[open + 1].Length > 0 ? open + 1 : open;
        output.Start(text.Length + _pieces[open].Length + _pieces[close].Length);
        Put(open);
        Copy(text, 0, text.Length, output, trace);
        Put(close);

        void Put(int piece)
        {
            var start = output.Length;
            output.Append(_pieces[piece]);
            trace?.Inserted(_pieces, piece, start, start, output.Length);
        }
    }

    private static void Copy(ReadOnlySpan<char> text, int from, int to, CharBuffer output, Trace? trace)
    {
        trace?.Copied(from, output.Length, to - from);
        output.Append(text[from..to]);
    }

    private int CountFor(int words) => _options.WordShare is { } share ? Math.Max(1, (int)(words * share)) : 1;

    private static void Check(InjectionStepOptions options)
    {
        if (options.WordShare is { } share && !(share >= 0 && share <= 1))
            throw new InjectionException(FormattableString.Invariant($"the word share {share} must lie between 0 and 1"));
        if (options is { IsHtml: true, WordShare: 0 })
            throw new InjectionException("a word share of 0 is refused for HTML, as in the reference: leave it out for one tag");
        if (options.Level is not null && !options.IsHtml) throw new InjectionException("a nesting level belongs to HTML tags");
        if (options.Level < 0) throw new InjectionException("a nesting level is 0 or more");
    }
}
