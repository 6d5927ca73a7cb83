using System.Globalization;
using System.Text;

namespace Ssti.Corpus.Rewriting;

/// <summary>
/// A Hunspell dictionary (<c>.aff</c>, <c>.dic</c>) as the list of its words: every stem with every prefix and suffix that its flags allow, and the spelling mistakes
/// that the dictionary knows. Enough for English and its like. What would make it accept other words than Hunspell (free compounds, twofold affixes) is refused.
/// </summary>
public sealed class AffixDictionary
{
    // What changes neither which words there are nor the suggestions made here. Compound rules of English are its ordinals, and words with digits are never looked up.
    private static readonly HashSet<string> Ignored =
    [
        "SET", "FLAG", "LANG", "NAME", "HOME", "VERSION", "WORDCHARS", "COMPOUNDMIN", "COMPOUNDRULE", "BREAK", "MAXNGRAMSUGS", "ONLYMAXDIFF", "NOSPLITSUGS", "MAP", "PHONE",
        "OCONV", "MAXDIFF", "MAXCPDSUGS", "SUGSWITHDOTS", "LEMMA_PRESENT",
    ];

    private readonly HashSet<string> _words = new(StringComparer.Ordinal);
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Affix>> _affixes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _crossing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _roles = new(StringComparer.Ordinal);
    private readonly List<(string Wrong, string Right)> _mistakes = [];
    private readonly List<(string From, string To)> _conversions = [];
    private string _flagForm = "";

    private AffixDictionary()
    {
    }

    /// <summary>How many words it has, inflected ones included.</summary>
    public int Count => _words.Count;

    /// <summary>Letters to try, the likeliest first.</summary>
    public string Letters { get; private set; } = "esianrtolcdugmphbyfvkwzjxq'";

    /// <summary>Rows of neighbouring keys, parted by <c>|</c>.</summary>
    public string Keys { get; private set; } = "qwertyuiop|asdfghjkl|zxcvbnm";

    /// <summary>What is often written for what.</summary>
    public IReadOnlyList<(string Wrong, string Right)> Mistakes => _mistakes;

    /// <summary>Whether a word stands in it as written, case and all.</summary>
    public bool Has(string word) => _words.Contains(word);

    /// <summary>Whether a word may be suggested: it stands in it, and is not marked as one to keep quiet about.</summary>
    public bool MaySuggest(string word) => _words.Contains(word) && !_hidden.Contains(word);

    /// <summary>The word with the characters that the dictionary treats alike made one, such as ’ and '.</summary>
    public string Convert(string word)
    {
        foreach (var (from, to) in _conversions) word = word.Replace(from, to, StringComparison.Ordinal);
        return word;
    }

    /// <summary>Reads a dictionary.</summary>
    /// <param name="affixes">The <c>.aff</c> file.</param>
    /// <param name="words">The <c>.dic</c> file.</param>
    /// <exception cref="CorpusException">A file is not of this form, or asks for what is not done here; says the line.</exception>
    public static AffixDictionary Read(string affixes, string words)
    {
        var encoding = EncodingOf(affixes);
        var dictionary = new AffixDictionary();
        dictionary.ReadAffixes(affixes, encoding);
        dictionary.ReadWords(words, encoding);
        return dictionary;
    }

    private static Encoding EncodingOf(string file)
    {
        var name = File.ReadLines(file, Encoding.Latin1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .FirstOrDefault(parts => parts is ["SET", ..])?[1] ?? "ISO8859-1";
        return name.ToUpperInvariant() switch
        {
            "UTF-8" => Encoding.UTF8,
            "ISO8859-1" or "ISO-8859-1" => Encoding.Latin1,
            _ => throw new CorpusException($"{Path.GetFileName(file)}: the encoding {name} is not read here; take a dictionary in UTF-8 or ISO8859-1"),
        };
    }

    private void ReadAffixes(string file, Encoding encoding)
    {
        var name = Path.GetFileName(file);
        foreach (var (index, raw) in File.ReadLines(file, encoding).Index())
        {
            var parts = raw.TrimStart('\uFEFF').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0 || parts[0].StartsWith('#')) continue;
            switch (parts)
            {
                case ["TRY", var letters, ..]:
                    Letters = letters;
                    break;
                case ["KEY", var keys, ..]:
                    Keys = keys;
                    break;
                case ["FLAG", var form, ..] when form is "long" or "num" or "UTF-8":
                    _flagForm = form;
                    break;
                case ["REP", var wrong, var right, ..]:
                    _mistakes.Add((wrong, right.Replace('_', ' ')));
                    break;
                case ["ICONV", var from, var to, ..]:
                    _conversions.Add((from, to));
                    break;
                case ["REP" or "ICONV", ..]:
                    break;
                case ["NOSUGGEST" or "FORBIDDENWORD" or "ONLYINCOMPOUND" or "NEEDAFFIX" or "KEEPCASE" or "WARN", var flag, ..]:
                    _roles[flag] = parts[0];
                    break;
                case ["PFX" or "SFX", var flag, "Y" or "N", ..] when parts.Length == 4 && int.TryParse(parts[3], out _):
                    if (!_affixes.TryAdd(flag, [])) throw Wrong($"the affix class {flag} begins twice");
                    if (parts[2] == "Y") _crossing.Add(flag);
                    break;
                case ["PFX" or "SFX", var flag, var cut, var add, ..]:
                    if (add.Contains('/')) throw Wrong("an affix takes affixes of its own (twofold affixes), which are not read here; take another dictionary");
                    if (!_affixes.TryGetValue(flag, out var rules)) throw Wrong($"a rule of the affix class {flag} before its head");
                    rules.Add(new Affix(parts[0] == "PFX", _crossing.Contains(flag), cut == "0" ? "" : cut, add == "0" ? "" : add, Condition(parts.Length > 4 ? parts[4] : ".")));
                    break;
                default:
                    if (!Ignored.Contains(parts[0])) throw Wrong($"{parts[0]} is not read here, and words would be judged otherwise than by Hunspell; take another dictionary");
                    break;
            }

            CorpusException Wrong(string what) => CorpusException.AtRow(name, index + 1, what);
        }
    }

    private void ReadWords(string file, Encoding encoding)
    {
        // The first line is a count.
        foreach (var (index, raw) in File.ReadLines(file, encoding).Index().Skip(1))
        {
            var line = raw.Split('\t')[0].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var slash = line.IndexOf('/', 1);
            while (slash > 0 && line[slash - 1] == '\\') slash = line.IndexOf('/', slash + 1);
            var stem = (slash < 0 ? line : line[..slash]).Replace("\\/", "/", StringComparison.Ordinal);
            var flags = slash < 0 ? [] : Flags(line[(slash + 1)..].Split(' ')[0], Path.GetFileName(file), index + 1);
            var roles = flags.Select(flag => _roles.GetValueOrDefault(flag)).OfType<string>().ToArray();
            if (roles.Contains("FORBIDDENWORD") || roles.Contains("ONLYINCOMPOUND")) continue;
            var hidden = roles.Contains("NOSUGGEST") || roles.Contains("WARN");
            if (!roles.Contains("NEEDAFFIX")) Add(stem, hidden);
            var affixes = flags.Where(_affixes.ContainsKey).SelectMany(flag => _affixes[flag]).Where(affix => affix.Fits(stem)).ToArray();
            foreach (var affix in affixes)
            {
                var form = affix.Apply(stem);
                Add(form, hidden);
                if (affix.IsPrefix || !affix.Crosses) continue;
                foreach (var prefix in affixes.Where(other => other is { IsPrefix: true, Crosses: true })) Add(prefix.Apply(form), hidden);
            }
        }
    }

    private void Add(string word, bool hidden)
    {
        _words.Add(word);
        if (hidden) _hidden.Add(word);
    }

    private string[] Flags(string text, string file, long line) => _flagForm switch
    {
        "long" when text.Length % 2 == 0 => [.. Enumerable.Range(0, text.Length / 2).Select(i => text.Substring(2 * i, 2))],
        "long" => throw CorpusException.AtRow(file, line, $"the flags '{text}' are not pairs of characters, as FLAG long says"),
        "num" => [.. text.Split(',').Select(number => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? number : throw CorpusException.AtRow(file, line, $"the flag '{number}' is no number, as FLAG num says"))],
        _ => [.. text.EnumerateRunes().Select(rune => rune.ToString())],
    };

    private static (bool Not, string Letters)[] Condition(string text)
    {
        var condition = new List<(bool, string)>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '.') condition.Add((true, ""));
            else if (text[i] != '[') condition.Add((false, text[i].ToString()));
            else
            {
                var end = text.IndexOf(']', i);
                if (end < 0) throw new CorpusException($"the affix condition '{text}' does not close its bracket");
                var not = text[i + 1] == '^';
                condition.Add((not, text[(i + (not ? 2 : 1))..end]));
                i = end;
            }
        }

        return text == "." ? [] : [.. condition];
    }

    private sealed record Affix(bool IsPrefix, bool Crosses, string Cut, string Put, (bool Not, string Letters)[] Condition)
    {
        public bool Fits(string stem)
        {
            if (stem.Length < Condition.Length || stem.Length <= Cut.Length) return false;
            var start = IsPrefix ? 0 : stem.Length - Condition.Length;
            for (var i = 0; i < Condition.Length; i++)
                if (Condition[i].Letters.Contains(stem[start + i]) == Condition[i].Not) return false;
            return IsPrefix ? stem.StartsWith(Cut, StringComparison.Ordinal) : stem.EndsWith(Cut, StringComparison.Ordinal);
        }

        public string Apply(string stem) => IsPrefix ? Put + stem[Cut.Length..] : stem[..^Cut.Length] + Put;
    }
}
