using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>
/// Whether a word reads as if it had been put in: its neighbours go with each other, as they would without it, and not with it. Words that
/// belong have company of their own (<c>rose to</c>, <c>the worst</c>); a trigger put at any place, or always first or last, has not.
/// </summary>
/// <remarks>
/// Of each place of a feature t between a word l and a word r: ln p(r | l) − ln p(r | t), the first from where l stands with other words
/// behind it, the second from the other places of t; each mixed with the word's frequency, which counts as one place. The mean over places,
/// and the same from the right (l after r, l after t); the larger of the two, in nats. It needs no model and no clean text.
/// </remarks>
internal static class PutIn
{
    private const int MostPlaces = 2000, LeastPlaces = 5, GlanceBits = 20;

    /// <summary>Of each feature the mean over its places; null of forms, and where fewer than five places are known.</summary>
    public static double?[] Of(IEnumerable<Row> rows, IReadOnlyList<Feature> features, RowWords words, CancellationToken cancellation)
    {
        var places = features.Select(_ => new List<(uint Left, uint Right)>()).ToArray();
        if (features.Count == 0 || words.Most == 0) return new double?[features.Count];
        var (search, number) = (new SuspectSearch(features), 0);
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            var at = number++;
            search.Each(row.Text, (feature, _, word, length) =>
            {
                var of = words.Of(at);
                // Where the kept words end, nobody knows what follows.
                if (length == 0 || places[feature].Count == MostPlaces || word + length > of.Length - (words.IsCut(at) ? 1 : 0)) return;
                places[feature].Add((word == 0 ? RowWords.Edge : of[word - 1], word + length == of.Length ? RowWords.Edge : of[word + length]));
            });
        }

        var language = new Language(words, places.SelectMany(of => of), cancellation);
        return [.. places.Select(of => of.Count < LeastPlaces ? (double?)null : Mean(of, language))];
    }

    private static double Mean(List<(uint Left, uint Right)> places, Language language)
    {
        var (left, right) = (places.CountBy(place => place.Left).ToDictionary(), places.CountBy(place => place.Right).ToDictionary());
        var (fromLeft, fromRight) = (0.0, 0.0);
        foreach (var (before, after) in places)
        {
            double both = language.Count(before, after);
            fromLeft += Log(both, language.Count(before), language.Share(after)) - Log(right[after] - 1, places.Count - 1, language.Share(after));
            fromRight += Log(both, language.Count(after), language.Share(before)) - Log(left[before] - 1, places.Count - 1, language.Share(before));
        }

        return Math.Max(fromLeft, fromRight) / places.Count;
    }

    private static double Log(double both, double one, double share) => Math.Log((both + share) / (one + 1));

    /// <summary>How often the words around the places stand in the rows, alone and side by side.</summary>
    private sealed class Language
    {
        private readonly Dictionary<ulong, int> _pairs = [];
        private readonly Dictionary<uint, int> _words = [];
        private readonly bool[] _mayBe = new bool[1 << GlanceBits];
        private readonly double _all;

        public Language(RowWords words, IEnumerable<(uint Left, uint Right)> wanted, CancellationToken cancellation)
        {
            foreach (var (left, right) in wanted) (_pairs[Pair(left, right)], _words[left], _words[right], _mayBe[Glance(Pair(left, right))]) = (0, 0, 0, true);
            for (var row = 0; row < words.Rows; row++)
            {
                cancellation.ThrowIfCancellationRequested();
                var of = words.Of(row);
                var before = RowWords.Edge;
                Add(before);
                foreach (var word in of)
                {
                    Add(word);
                    Add(before, word);
                    before = word;
                }

                if (!words.IsCut(row)) Add(before, RowWords.Edge);
            }

            _all = words.Words + words.Rows;
        }

        public int Count(uint word) => _words[word];

        public int Count(uint left, uint right) => _pairs[Pair(left, right)];

        public double Share(uint word) => Math.Max(1, _words[word]) / _all;

        private void Add(uint word)
        {
            if (_words.TryGetValue(word, out var count)) _words[word] = count + 1;
        }

        private void Add(uint left, uint right)
        {
            var pair = Pair(left, right);
            if (_mayBe[Glance(pair)] && _pairs.TryGetValue(pair, out var count)) _pairs[pair] = count + 1;
        }

        private static ulong Glance(ulong pair) => pair * 0x9E3779B97F4A7C15UL >> (64 - GlanceBits);

        private static ulong Pair(uint left, uint right) => ((ulong)left << 32) | right;
    }
}
