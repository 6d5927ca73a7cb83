using System.Text;

namespace Ssti.Corpus.Rewriting;

/// <summary>
/// Replaces words that a dictionary does not know by the first near miss it does know, as Hunspell orders them: capitals, known mistakes, two letters swapped, a
/// neighbouring key, a letter too many, one too few, a wrong one, two words run together. Unlike Hunspell it goes no further (by n-grams): a word without such a neighbour stays.
/// Names are no exception: an unknown one is replaced where it is near to a word. Words with digits are left alone.
/// </summary>
/// <remarks>Not safe for several threads. The work of a word is bounded by its length, and words beyond <see cref="LongestWord"/> letters are left alone.</remarks>
public sealed class Speller(AffixDictionary dictionary)
{
    /// <summary>The longest word that is looked up.</summary>
    public const int LongestWord = 40;

    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>Words replaced so far.</summary>
    public long Replaced { get; private set; }

    /// <summary>Words so far that are not in the dictionary and near to none that is.</summary>
    public long Unknown { get; private set; }

    /// <summary>The text with its misspelt words replaced; all else stays to the character.</summary>
    public string Correct(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var end = at;
            while (end < text.Length && InWord(text, end)) end++;
            if (end == at)
            {
                result.Append(text[at++]);
                continue;
            }

            result.Append(Corrected(text[at..end]));
            at = end;
        }

        return result.ToString();
    }

    /// <summary>Whether the dictionary knows a word: as it stands, or, capitalised or in capitals, in small letters.</summary>
    public bool Knows(string word)
    {
        word = dictionary.Convert(word);
        if (dictionary.Has(word)) return true;
        if (!char.IsUpper(word[0])) return false;
        var small = word.ToLowerInvariant();
        return word[1..].Equals(small[1..], StringComparison.Ordinal) ? dictionary.Has(small)
            : word.Equals(word.ToUpperInvariant(), StringComparison.Ordinal) && (dictionary.Has(small) || dictionary.Has(Capitalised(small)));
    }

    /// <summary>The first word near to one that is not known; null where there is none.</summary>
    public string? Suggest(string word)
    {
        word = dictionary.Convert(word);
        var small = word.ToLowerInvariant();
        var capitals = word.Length > 1 && word == word.ToUpperInvariant();
        foreach (var form in capitals ? [small, Capitalised(small)] : word == small ? [word] : new[] { word, small })
        {
            var found = Candidates(form).FirstOrDefault(MaySuggest);
            if (found is not null) return capitals ? found.ToUpperInvariant() : char.IsUpper(word[0]) ? Capitalised(found) : found;
        }

        return null;
    }

    private bool MaySuggest(string candidate) => dictionary.MaySuggest(candidate) || (candidate.Contains(' ') && candidate.Split(' ').All(dictionary.MaySuggest));

    private string Corrected(string word)
    {
        if (!_known.TryGetValue(word, out var correction))
        {
            var skip = word.Length > LongestWord || word.Any(char.IsAsciiDigit) || Knows(word);
            _known[word] = correction = skip ? word : Suggest(word) ?? "";
        }

        if (correction.Length == 0) Unknown++;
        else if (correction != word) Replaced++;
        return correction.Length == 0 ? word : correction;
    }

    private IEnumerable<string> Candidates(string word)
    {
        var length = word.Length;
        yield return word;
        yield return word.ToUpperInvariant();
        yield return Capitalised(word);
        foreach (var (wrong, right) in dictionary.Mistakes)
            for (var i = word.IndexOf(wrong, StringComparison.Ordinal); i >= 0; i = word.IndexOf(wrong, i + 1, StringComparison.Ordinal))
                yield return word[..i] + right + word[(i + wrong.Length)..];
        for (var i = 0; i + 1 < length; i++) yield return word[..i] + word[i + 1] + word[i] + word[(i + 2)..];
        for (var i = 0; i < length; i++)
            foreach (var key in Neighbours(word[i])) yield return word[..i] + key + word[(i + 1)..];
        // A word of one letter would be left of two.
        if (length > 2) for (var i = 0; i < length; i++) yield return word.Remove(i, 1);
        foreach (var letter in dictionary.Letters)
            for (var i = length; i >= 0; i--) yield return word.Insert(i, letter.ToString());
        foreach (var letter in dictionary.Letters)
            for (var i = length - 1; i >= 0; i--)
                if (word[i] != letter) yield return word[..i] + letter + word[(i + 1)..];
        for (var i = 2; i + 2 <= length; i++) yield return word[..i] + ' ' + word[i..];
    }

    private IEnumerable<char> Neighbours(char letter)
    {
        for (var i = 0; i < dictionary.Keys.Length; i++)
        {
            if (dictionary.Keys[i] != letter) continue;
            if (i > 0 && dictionary.Keys[i - 1] != '|') yield return dictionary.Keys[i - 1];
            if (i + 1 < dictionary.Keys.Length && dictionary.Keys[i + 1] != '|') yield return dictionary.Keys[i + 1];
        }
    }

    private static bool InWord(string text, int at) => char.IsLetterOrDigit(text[at])
        || (text[at] is '\'' or '’' && at > 0 && at + 1 < text.Length && char.IsLetter(text[at - 1]) && char.IsLetter(text[at + 1]));

    private static string Capitalised(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}
