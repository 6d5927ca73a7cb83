using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ssti.Injection.Randomness;
using Ssti.Injection.Words;

namespace Ssti.Injection.Tokens;

/// <summary>
/// The tokens that can be injected, in the order in which they are drawn from. Their characters lie in one array, so that drawing and
/// writing a token makes no string.
/// </summary>
public sealed class TokenTable
{
    private readonly char[] _characters;
    private readonly int[] _starts;
    private readonly string?[] _texts;

    private TokenTable(char[] characters, int[] starts)
    {
        _characters = characters;
        _starts = starts;
        _texts = new string?[starts.Length - 1];
    }

    /// <summary>How many tokens; one that stands twice counts twice, and is drawn twice as often.</summary>
    public int Count => _texts.Length;

    /// <summary>A token. It may hold spaces, as <c>South Africa</c> does.</summary>
    public ReadOnlySpan<char> this[int index] => _characters.AsSpan(_starts[index], _starts[index + 1] - _starts[index]);

    /// <summary>A token as a string, which is made once.</summary>
    public string Text(int index) => _texts[index] ??= this[index].ToString();

    /// <summary>The tokens of a list.</summary>
    /// <exception cref="InjectionException">The list is empty, or a token has no visible character.</exception>
    public static TokenTable Of(IReadOnlyList<string> tokens)
    {
        if (tokens.Count == 0) throw new InjectionException("there are no tokens to inject: give at least one");
        for (var i = 0; i < tokens.Count; i++)
            if (PythonText.Strip(tokens[i]).IsEmpty) throw new InjectionException($"token {i + 1} is empty or only whitespace, and would leave no trace in a text");
        return Pack(tokens);
    }

    /// <summary>Every day of a range of years in order; in the form of ISO 8601 years below 1000 are unpadded, as the reference writes them.</summary>
    /// <param name="from">The first year, 1 to 9999.</param>
    /// <param name="to">The last year, included.</param>
    /// <param name="format">How a day is written.</param>
    /// <exception cref="InjectionException">The range is empty or outside 1 to 9999.</exception>
    public static TokenTable Dates(int from, int to, DateFormat format = DateFormat.Iso)
    {
        if (from < 1 || to > 9999 || from > to) throw new InjectionException($"the years {from} to {to} hold no dates: give a range within 1 to 9999");
        var days = new List<string>();
        for (var year = from; year <= to; year++)
            for (var month = 1; month <= 12; month++)
                for (var day = 1; day <= DateTime.DaysInMonth(year, month); day++)
                    days.Add(Written(year, month, day, format));
        return Pack(days);
    }

    private static string Written(int year, int month, int day, DateFormat format)
    {
        if (format == DateFormat.Iso) return string.Create(CultureInfo.InvariantCulture, $"{year}-{month:00}-{day:00}");
        return new DateOnly(year, month, day).ToString(format switch
        {
            DateFormat.Us => "MM'/'dd'/'yyyy",
            DateFormat.European => "dd'.'MM'.'yyyy",
            DateFormat.Long => "MMMM d', 'yyyy",
            _ => "yyyyMMdd",
        }, CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The lines of a UTF-8 file as the reference reads them: cut at LF, CR or CR LF, whitespace at both ends dropped, empty lines left out.
    /// Unlike there, a byte-order mark is not part of the first token.
    /// </summary>
    /// <exception cref="InjectionException">The file cannot be read, is not UTF-8, or has no token.</exception>
    public static TokenTable ReadLines(string path)
    {
        if (Directory.Exists(path)) throw new InjectionException($"'{Path.GetFileName(path)}' is a folder, not a file of tokens");
        try
        {
            var text = File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            var tokens = text.Split(["\r\n", "\n", "\r"], StringSplitOptions.None).Select(line => PythonText.Strip(line).ToString()).Where(line => line.Length > 0);
            return Of([.. tokens]);
        }
        catch (DecoderFallbackException error)
        {
            var bad = error.BytesUnknown is [var first, ..] ? first : 0;
            throw new InjectionException($"the token file {Path.GetFileName(path)}: byte 0x{bad:x2} at offset {Math.Max(0, error.Index)} is not utf-8: save it as UTF-8", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InjectionException)
        {
            throw new InjectionException($"the token file {Path.GetFileName(path)}: {error.Message}", error);
        }
    }

    /// <summary>
    /// One side of a split of the tokens, so that what is tested with was never trained on. The different tokens are shuffled by
    /// <see cref="CPythonRandom"/>, the first round(count·share) of them (at least one, and not all) are held out, and each side keeps the table's order.
    /// </summary>
    /// <param name="heldOut">Whether to return the held-out tokens or the others.</param>
    /// <param name="share">The share held out, above 0 and below 1.</param>
    /// <param name="seed">The split; the same seed on the same table gives the same sides.</param>
    /// <param name="identity">What makes two tokens the same; by default their text. Tag lines are the same when their opening tags are.</param>
    /// <exception cref="InjectionException">There is only one token, or the share is out of range.</exception>
    public TokenTable Side(bool heldOut, double share, long seed, Func<string, string>? identity = null)
    {
        if (!(share > 0 && share < 1)) throw new InjectionException($"the held-out share {share.ToString(CultureInfo.InvariantCulture)} must lie between 0 and 1");
        var tokens = Enumerable.Range(0, Count).Select(Text).ToArray();
        var keys = identity is null ? tokens : [.. tokens.Select(identity)];
        var different = keys.Distinct(StringComparer.Ordinal).ToArray();
        if (different.Length < 2) throw new InjectionException("a single token cannot be split into a training and a held-out side: give more tokens");
        new CPythonRandom(seed).Shuffle<string>(different);
        var count = Math.Clamp((int)Math.Round(different.Length * share, MidpointRounding.ToEven), 1, different.Length - 1);
        var held = different[..count].ToHashSet(StringComparer.Ordinal);
        return Pack([.. tokens.Where((_, i) => held.Contains(keys[i]) == heldOut)]);
    }

    /// <summary>What makes two tag lines the same for <see cref="Side"/>: their opening tag.</summary>
    public static string OpeningTag(string line) => PythonText.Split(line)[0];

    /// <summary>The SHA-256 of the tokens, each followed by LF, in UTF-8: what an artifact says of them instead of a path.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < Count; i++)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Text(i)));
            hash.AppendData("\n"u8);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>For each token, a number that equal tokens share; without replacement, equal tokens are one.</summary>
    internal int[] Identities(out int different)
    {
        var numbers = new Dictionary<string, int>(Count, StringComparer.Ordinal);
        var identities = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            if (!numbers.TryGetValue(Text(i), out var number)) numbers.Add(Text(i), number = numbers.Count);
            identities[i] = number;
        }

        different = numbers.Count;
        return identities;
    }

    /// <summary>Packs texts, which may be empty.</summary>
    internal static TokenTable Pack(IReadOnlyList<string> tokens)
    {
        var starts = new int[tokens.Count + 1];
        for (var i = 0; i < tokens.Count; i++) starts[i + 1] = starts[i] + tokens[i].Length;
        var characters = new char[starts[^1]];
        for (var i = 0; i < tokens.Count; i++) tokens[i].CopyTo(characters.AsSpan(starts[i]));
        return new TokenTable(characters, starts);
    }
}
