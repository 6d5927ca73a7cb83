using Ssti.Injection.Tokens;
using Ssti.Tests;

namespace Ssti.Injection.Tests.Tokens;

public sealed class ListFilesTests
{
    [Theory]
    [InlineData("rare-words", 5)]
    [InlineData("exclamation", 2)]
    [InlineData("colours", 46)]
    [InlineData("countries", 193)]
    [InlineData("html-tags", 83)]
    public void A_list_holds_its_tokens_once_each(string name, int count)
    {
        var tokens = TokenTable.ReadLines(Path.Combine(Repository.Root, "pipelines", "lists", name + ".txt"));
        Assert.Equal(count, tokens.Count);
        Assert.Equal(count, Enumerable.Range(0, count).Select(tokens.Text).Distinct().Count());
    }

    [Fact]
    public void Every_tag_is_closed_by_its_own_closing_tag_or_not_at_all()
    {
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "pipelines", "lists", "html-tags.txt")))
            Assert.Matches(@"^<([a-z][a-z0-9]*)>( </\1>)?$", line);
    }
}
