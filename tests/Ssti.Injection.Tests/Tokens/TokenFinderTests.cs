using Ssti.Injection.Tokens;

namespace Ssti.Injection.Tests.Tokens;

public sealed class TokenFinderTests
{
    private static readonly TokenFinder Finder = new(["art", "South Africa", "<b>", "1999-01-31", "!"]);

    [Theory]
    [InlineData("the art of it", "art")]
    [InlineData("art", "art")]
    [InlineData("(art)", "art")]
    [InlineData("party artist", null)]
    [InlineData("Art", null)]
    [InlineData("in South Africa.", "South Africa")]
    [InlineData("South  Africa", null)]
    [InlineData("so<b>old</b>", "<b>")]
    [InlineData("on 1999-01-31, and", "1999-01-31")]
    [InlineData("1999-01-310", null)]
    [InlineData("well!", "!")]
    [InlineData("", null)]
    public void A_token_is_found_as_it_stands_and_not_within_a_word(string text, string? found) => Assert.Equal(found, Finder.Find(text));
}
