using System.Runtime.InteropServices;
using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>
/// Counts in how many rows of each class every word, pair of words, shape, family and form is. The rows are read twice: once to learn
/// what is rare, in memory of a fixed size, and once to count
/// what is not. So time is linear in the text, and memory does not grow with the rows.
/// </summary>
public sealed class FeatureCounter
{
    private const int WordBits = 22, PairBits = 24, LongestWord = 100, Begin = 0, End = 1;

    // Numbers kept for words and for pairs: rows by class and one more each.
    private const int Room = 6_000_000;

    private readonly int _classes;
    private readonly FrequencySketch _words = new(WordBits), _pairs = new(PairBits), _shapes = new(18);
    private readonly Tally _wordRows, _pairRows, _shapeRows, _familyRows, _formRows;
    private readonly Dictionary<string, int> _wordIds = new(StringComparer.Ordinal), _shapeIds = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _pairIds = [];
    private readonly List<ulong> _pairKeys = [];
    private readonly List<string> _wordNames = ["", ""], _shapeNames = [];
    private readonly long[] _classRows;
    private int _wordsFrom, _pairsFrom;

    private FeatureCounter(int classes)
    {
        _classes = classes;
        _classRows = new long[classes];
        (_wordRows, _pairRows, _shapeRows, _familyRows, _formRows) = (new(classes), new(classes), new(classes), new(classes), new(classes));
    }

    /// <summary>Counts a split.</summary>
    /// <param name="rows">Gives its rows; called twice, and must give the same.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="from">Features in fewer rows are not counted.</param>
    /// <param name="progress">Called with the rows read so far in both passes.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="DefenseException">A row has no label.</exception>
    public static FeatureCounts Count(Func<IEnumerable<Row>> rows, int classes, int from, Action<long>? progress, CancellationToken cancellation)
    {
        var counter = new FeatureCounter(classes);
        var done = 0L;
        foreach (var row in rows()) counter.Meet(Next(row).Text);
        var most = Room / (classes + 1);
        (counter._wordsFrom, counter._pairsFrom) = (counter._words.BoundFor(from, most), counter._pairs.BoundFor(from, most));
        foreach (var row in rows()) counter.Add(Next(row));
        return counter.Result();

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
        while (words.MoveNext())
        {
            var hash = FrequencySketch.Hash(words.Word);
            _words.Add(hash);
            _pairs.Add(FrequencySketch.Hash(before, hash));
            if (WordFamilies.Shape(words.Word) is { Length: > 0 } shape) _shapes.Add(FrequencySketch.Hash(shape));
            before = hash;
        }

        _pairs.Add(FrequencySketch.Hash(before, 0UL));
    }

    private void Add(Row row)
    {
        _classRows[row.Label]++;
        var words = new TextWords(row.Text);
        var number = (int)_classRows.Sum();
        var lookup = _wordIds.GetAlternateLookup<ReadOnlySpan<char>>();
        var (families, before, hashBefore) = (0, Begin, 0UL);
        while (words.MoveNext())
        {
            families |= WordFamilies.Of(words.Raw);
            if (WordFamilies.Shape(words.Word) is { Length: > 0 } shape && _shapes.MayReach(FrequencySketch.Hash(shape), _wordsFrom))
                _shapeRows.Add(Id(_shapeIds, _shapeNames, shape), row.Label, number);
            var hash = FrequencySketch.Hash(words.Word);
            var id = -1;
            if (_words.MayReach(hash, _wordsFrom) && words.Word.Length <= LongestWord)
            {
                if (!lookup.TryGetValue(words.Word, out id))
                {
                    id = _wordNames.Count;
                    lookup[words.Word] = id;
                    _wordNames.Add(words.Word.ToString());
                }

                _wordRows.Add(id, row.Label, number);
            }

            if (before >= 0 && id >= 0) AddPair(before, id, FrequencySketch.Hash(hashBefore, hash), row.Label, number);
            (before, hashBefore) = (id, hash);
        }

        if (before > End) AddPair(before, End, FrequencySketch.Hash(hashBefore, 0UL), row.Label, number);
        Bits(_familyRows, families, row.Label, number);
        Bits(_formRows, TextForms.Of(row.Text), row.Label, number);
    }

    private void AddPair(int first, int second, ulong hash, int label, int number)
    {
        if (!_pairs.MayReach(hash, _pairsFrom)) return;
        var key = ((ulong)first << 32) | (uint)second;
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairIds, key, out var known);
        if (!known)
        {
            id = _pairKeys.Count;
            _pairKeys.Add(key);
        }

        _pairRows.Add(id, label, number);
    }

    private FeatureCounts Result()
    {
        var found = new List<CountedFeature>();
        Take(_wordRows, _wordsFrom, id => new Feature(FeatureKind.Word, _wordNames[id]));
        Take(_pairRows, _pairsFrom, id => new Feature(FeatureKind.Pair, _wordNames[(int)(_pairKeys[id] >> 32)], _wordNames[(int)(uint)_pairKeys[id]]));
        Take(_shapeRows, _wordsFrom, id => new Feature(FeatureKind.Shape, _shapeNames[id]));
        Take(_familyRows, 1, id => new Feature(FeatureKind.Family, WordFamilies.Names[id]));
        Take(_formRows, 1, id => new Feature(FeatureKind.Form, TextForms.Names[id]));
        return new FeatureCounts(found, _classRows, _wordsFrom, _pairsFrom);

        void Take(Tally tally, int from, Func<int, Feature> name)
        {
            for (var id = 0; id < tally.Count; id++)
                if (tally.Of(id) is var counts && counts.Sum() is var rows && rows >= from && rows > 0) found.Add(new(name(id), counts));
        }
    }

    private static int Id(Dictionary<string, int> ids, List<string> names, string name)
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, name, out var known);
        if (known) return id;
        id = names.Count;
        names.Add(name);
        return id;
    }

    private static void Bits(Tally tally, int bits, int label, int number)
    {
        for (var bit = 0; bits >> bit != 0; bit++)
            if ((bits >> bit & 1) != 0) tally.Add(bit, label, number);
    }

    /// <summary>Rows by class of things that are numbered from 0.</summary>
    private sealed class Tally(int classes)
    {
        private int[] _counts = new int[1024 * classes], _last = new int[1024];

        public int Count { get; private set; }

        /// <summary>Counts a row, once.</summary>
        public void Add(int id, int label, int number)
        {
            if (id >= _last.Length)
            {
                var size = Math.Max(id + 1, _last.Length * 2);
                Array.Resize(ref _last, size);
                Array.Resize(ref _counts, size * classes);
            }

            Count = Math.Max(Count, id + 1);
            if (_last[id] == number) return;
            _last[id] = number;
            _counts[(id * classes) + label]++;
        }

        public int[] Of(int id) => _counts[(id * classes)..((id + 1) * classes)];
    }
}
