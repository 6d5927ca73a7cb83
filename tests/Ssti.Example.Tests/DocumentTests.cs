using System.Text.RegularExpressions;
using Ssti.Tests;

namespace Ssti.Example.Tests;

/// <summary>What docs/adding-a-stage.md shows is what is compiled and run here.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Ssti.Example.Tests");

    [Fact]
    public void Every_file_in_the_document_is_the_file_that_is_tested()
    {
        var document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "adding-a-stage.md")).ReplaceLineEndings("\n");
        var shown = Shown().Matches(document);

        Assert.Equal(
            ["TokenDropParameters.cs", "TokenDropStage.cs", "token-drop.yaml", "TokenDropTests.cs"],
            shown.Select(block => block.Groups["file"].Value));
        foreach (Match block in shown)
            Assert.Equal(File.ReadAllText(Path.Combine(Folder, block.Groups["file"].Value)).ReplaceLineEndings("\n"), block.Groups["code"].Value);
    }

    [Fact]
    public void One_parameter_record_one_class_and_one_test_are_all_there_is() => Assert.Equal(
        ["DocumentTests.cs", "TokenDropParameters.cs", "TokenDropStage.cs", "TokenDropTests.cs"],
        Directory.GetFiles(Folder, "*.cs").Select(Path.GetFileName).Order(StringComparer.Ordinal));

    // A block under a line that names its file: `TokenDropStage.cs`:
    [GeneratedRegex(@"^`(?<file>[\w.-]+)`:\n\n```\w+\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Shown();
}
