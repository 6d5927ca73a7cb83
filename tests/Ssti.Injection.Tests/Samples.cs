using Ssti.Injection.Tokens;

namespace Ssti.Injection.Tests;

/// <summary>Made-up texts and steps for properties that must hold for all of them. Seeded, so that a failure repeats.</summary>
internal static class Samples
{
    /// <summary>What a text is made of: words, every kind of whitespace, tags, characters outside the basic plane, and look-alikes of whitespace.</summary>
    private static readonly string[] Parts =
    [
        "a", "word", "längere", "🙂", "x\ud83d\ude00y", "<b>", "</b>", "<p>", "</p>", "<br />", "<", ">", "</", "ÿ", "\u200b", "\ufeff", "\u0084", "\u00a1", "，",
        " ", " ", " ", " ", "  ", "\n", "\r\n", "\t", "\v", "\f", "\u001c", "\u001d", "\u001e", "\u001f", "\u0085", "\u00a0", "\u1680",
        "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
    ];

    /// <summary>Texts of 0 to a few hundred parts.</summary>
    public static IEnumerable<string> Texts(int count, int seed = 1)
    {
        var random = new Random(seed);
        yield return "";
        yield return "   ";
        yield return "one";
        for (var i = 0; i < count; i++)
        {
            // Half of the texts are mostly regular, as real ones are.
            var plain = random.Next(2) == 0;
            var length = random.Next(random.Next(3) == 0 ? 400 : 40);
            yield return string.Concat(Enumerable.Range(0, length).Select(_ => plain && random.Next(20) > 0 ? "word " : Parts[random.Next(Parts.Length)]));
        }
    }

    /// <summary>Steps of every kind, location and share.</summary>
    public static IEnumerable<IReadOnlyList<InjectionStepOptions>> Steps()
    {
        var list = TokenTable.Of(["!", "!!", "foo bar", "🙂"]);
        var padded = TokenTable.Of(["!", " padded\u00a0", "a  b"]);
        var tags = TokenTable.Of(["<b> </b>", "<br>", "<i> </i>"]);
        var seed = 0;
        foreach (var location in Enum.GetValues<InjectionLocation>())
        {
            foreach (double? share in new double?[] { null, 0.1, 0.5, 1 })
            {
                yield return [new() { Tokens = list, Location = location, WordShare = share, Seed = seed++ }];
                yield return [new() { Tokens = padded, Location = location, WordShare = share, Seed = seed++, TokenSeed = 5 }];
                foreach (int? level in new int?[] { null, 0, 1, 2 })
                    yield return [new() { Tokens = tags, IsHtml = true, Level = level, Location = location, WordShare = share, Seed = seed++ }];
                yield return
                [
                    new() { Tokens = list, Location = location, WordShare = share, Seed = seed++ },
                    new() { Tokens = tags, IsHtml = true, Level = 1, Location = InjectionLocation.Random, WordShare = 0.3, Seed = seed++ },
                    new() { Tokens = list, Location = InjectionLocation.Random, WordShare = share, Seed = seed++ },
                ];
            }
        }
    }
}
