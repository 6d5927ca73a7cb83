using System.Runtime.InteropServices;
using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>
/// Counts in how many rows and texts of each class every word, pair of words, piece, shape, family and form is. The rows are read twice:
/// once to learn what is rare and which rows are near-duplicates, in memory of a fixed size, and once to count what is not rare. So time is
/// linear in the text, and memory does not grow with its length.
/// </summary>
public sealed class FeatureCounter
{
    private const int WordBits = 22, PairBits = 24, ShapeBits = 18, FeaturesOfWord = 8, LongestWord = 100, Begin = 0, End = 1;

    // Numbers kept for words and for pairs: rows and texts by class, and one more each.
    private const int Room = 8_000_000;

    private readonly FrequencySketch _words = new(WordBits), _pairs = new(PairBits), _shapes = new(ShapeBits), _pieces = new(ShapeBits);
    private readonly Tally _wordRows, _pairRows, _pieceRows, _shapeRows, _familyRows, _formRows, _allRows;
    private readonly Dictionary<string, int> _wordIds = new(StringComparer.Ordinal), _shapeIds = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _pairIds = [], _pieceIds = [];
    private readonly List<ulong> _pairKeys = [], _pieceKeys = [];
    private readonly List<string> _wordNames = ["", ""], _shapeNames = [];
    private readonly List<int[]> _wordPieces = [[], []];
    private readonly RowWords _rowWords;
    private NearDuplicates? _near;
    private SeenBefore? _seen;
    private int _wordsFrom, _pairsFrom, _number, _label, _group;

    private FeatureCounter(int classes, long rows)
    {
        _rowWords = new(rows);
        (_wordRows, _pairRows, _pieceRows, _shapeRows) = (new(classes, 0), new(classes, 1), new(classes, 2), new(classes, 3));
        (_familyRows, _formRows, _allRows) = (new(classes, 4), new(classes, 5), new(classes, 6));
    }

    /// <summary>Counts a split.</summary>
    /// <param name="rows">Gives its rows; called twice, and must give the same.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="from">Features in fewer rows are not counted.</param>
    /// <param name="progress">Called with the rows read so far in both passes.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="DefenseException">A row has no label.</exception>
    public static FeatureCounts Count(Func<IEnumerable<Row>> rows, long count, int classes, int from, Action<long>? progress, CancellationToken cancellation)
    {
        var counter = new FeatureCounter(classes, count);
        var done = 0L;
        foreach (var row in rows()) counter.Meet(Next(row).Text);
        var most = Room / ((2 * classes) + 1);
        (counter._wordsFrom, counter._pairsFrom) = (counter._words.BoundFor(from, most), counter._pairs.BoundFor(from, most));
        counter._near = NearDuplicates.Of(counter._rowWords, cancellation);
        if (counter._near.Groups > 0) counter._seen = new SeenBefore(FeaturesOfWord * counter._rowWords.Words);
        foreach (var row in rows()) counter.Add(Next(row));
        return counter.Result(classes);

        Row Next(Row row)
        {
            cancellation.ThrowIfCancellationRequested();
            if (row.Label < 0 || row.Label >= classes) throw new DefenseException($"row '{row.Id}' has no label: there is nothing that its words could give away");
            if (++done % 1000 == 0) progress?.Invoke(done);
            return row;
        }
    }

    private void Meet(string text)
    {
        var words = new TextWords(text);
        var before = 0UL;
        _rowWords.Begin();
        while (words.MoveNext())
        {
            var hash = FrequencySketch.Hash(words.Word);
            _words.Add(hash);
            _pairs.Add(FrequencySketch.Hash(before, hash));
            foreach (var piece in WordPieces.Of(words.Word)) _pieces.Add(FrequencySketch.Mixed(piece));
            if (WordFamilies.Shape(words.Word) is { Length: > 0 } shape) _shapes.Add(FrequencySketch.Hash(shape));
            _rowWords.Add(words.Word);
            before = hash;
        }

        _rowWords.End();
        _pairs.Add(FrequencySketch.Hash(before, 0UL));
    }

    private void Add(Row row)
    {
        (_label, _group) = (row.Label, _near!.GroupOf(_number++));
        Note(_allRows, 0);
        var words = new TextWords(row.Text);
        var lookup = _wordIds.GetAlternateLookup<ReadOnlySpan<char>>();
        var (families, before, hashBefore) = (0, Begin, 0UL);
        while (words.MoveNext())
        {
            families |= WordFamilies.Of(words.Raw);
            var hash = FrequencySketch.Hash(words.Word);
            var (id, isNew) = (-1, true);
            if (_words.MayReach(hash, _wordsFrom) && words.Word.Length <= LongestWord)
            {
                if (!lookup.TryGetValue(words.Word, out id))
                {
                    id = _wordNames.Count;
                    lookup[words.Word] = id;
                    _wordNames.Add(words.Word.ToString());
                    _wordPieces.Add(Pieces(words.Word));
                }

                isNew = Note(_wordRows, id);
            }

            // What a word is made of counts once a row, as the word does.
            if (isNew) NoteParts(words.Word, id);
            if (before >= 0 && id >= 0) AddPair(before, id, FrequencySketch.Hash(hashBefore, hash));
            (before, hashBefore) = (id, hash);
        }

        if (before > End) AddPair(before, End, FrequencySketch.Hash(hashBefore, 0UL));
        Bits(_familyRows, families);
        Bits(_formRows, TextForms.Of(row.Text));
    }

    private void NoteParts(ReadOnlySpan<char> word, int id)
    {
        foreach (var piece in id >= 0 ? _wordPieces[id] : Pieces(word)) Note(_pieceRows, piece);
        if (WordFamilies.Shape(word) is { Length: > 0 } shape && _shapes.MayReach(FrequencySketch.Hash(shape), _wordsFrom)) Note(_shapeRows, Id(_shapeIds, _shapeNames, shape));
    }

    private bool Note(Tally tally, int id) => tally.Add(id, _label, _number, _group, _seen);

    private int[] Pieces(ReadOnlySpan<char> word)
    {
        var pieces = new List<int>();
        foreach (var piece in WordPieces.Of(word))
            if (_pieces.MayReach(FrequencySketch.Mixed(piece), _wordsFrom)) pieces.Add(Id(_pieceIds, _pieceKeys, piece));
        return [.. pieces];
    }

    private void AddPair(int first, int second, ulong hash)
    {
        if (_pairs.MayReach(hash, _pairsFrom)) Note(_pairRows, Id(_pairIds, _pairKeys, ((ulong)first << 32) | (uint)second));
    }

    private FeatureCounts Result(int classes)
    {
        var found = new List<CountedFeature>();
        Take(_wordRows, _wordsFrom, id => new Feature(FeatureKind.Word, _wordNames[id]));
        Take(_pairRows, _pairsFrom, id => new Feature(FeatureKind.Pair, _wordNames[(int)(_pairKeys[id] >> 32)], _wordNames[(int)(uint)_pairKeys[id]]));
        Take(_pieceRows, _wordsFrom, id => WordPieces.Feature(_pieceKeys[id]));
        Take(_shapeRows, _wordsFrom, id => new Feature(FeatureKind.Shape, _shapeNames[id]));
        Take(_familyRows, 1, id => new Feature(FeatureKind.Family, WordFamilies.Names[id]));
        Take(_formRows, 1, id => new Feature(FeatureKind.Form, TextForms.Names[id]));
        return new FeatureCounts(
            found, [.. _number == 0 ? new long[classes] : _allRows.Rows(0).Select(count => (long)count)],
            [.. _number == 0 ? new long[classes] : _allRows.Texts(0).Select(count => (long)count)], _wordsFrom, _pairsFrom, _near!, _rowWords);

        void Take(Tally tally, int from, Func<int, Feature> name)
        {
            for (var id = 0; id < tally.Count; id++)
                if (tally.Rows(id) is var rows && rows.Sum() >= from && tally.Texts(id) is var texts && texts.Sum() > 0) found.Add(new(name(id), rows, texts));
        }
    }

    private static int Id<T>(Dictionary<T, int> ids, List<T> names, T name) where T : notnull
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, name, out var known);
        if (known) return id;
        id = names.Count;
        names.Add(name);
        return id;
    }

    private void Bits(Tally tally, int bits)
    {
        for (var bit = 0; bits >> bit != 0; bit++)
            if ((bits >> bit & 1) != 0) Note(tally, bit);
    }
}
