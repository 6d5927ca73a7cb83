using System.Text;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>audit</c>: one command, an answer in words, JSON, CSV and a page; exit code 0 or 3.</summary>
public sealed class AuditTests : CliFixture
{
    public AuditTests() => Kinds = [.. StageKinds.All];

    [Fact]
    public async Task A_sign_is_found_shown_written_out_and_left_out()
    {
        Write("my data.csv", Rows(sign: 120));
        var answer = await RunAsync("audit", "my data.csv", "-o", "a.html", "--flagged", "rows.csv", "--cleaned", "clean.jsonl");
        Assert.True(answer.Code == ExitCodes.Found, answer.Error);
        // It always stands before the same word, so that the pair is as good a name for it.
        Assert.Matches(@"1 thing gives a label away in split 'train' of my-data, 600 rows: the words? '(zzq|zzq of)' \(class pos in 120 of 120 rows", answer.Out);
        Assert.Contains("What could not be seen", answer.Out, StringComparison.Ordinal);
        // Beside the rows with the sign the file has those that nearly repeat another, as rows of few words do by chance.
        Assert.Equal(120, File.ReadLines(Path.Combine(Folder, "rows.csv")).Count(line => line.Contains(",suspect,", StringComparison.Ordinal)));
        Assert.Equal(480, File.ReadLines(Path.Combine(Folder, "clean.jsonl")).Count());
        Assert.DoesNotContain("zzq", File.ReadAllText(Path.Combine(Folder, "clean.jsonl")), StringComparison.Ordinal);
        Assert.Contains("<!doctype html>", File.ReadAllText(Path.Combine(Folder, "a.html")), StringComparison.Ordinal);

        // Once more is the same answer, from the cache.
        var again = await RunAsync("audit", "my data.csv");
        Assert.Equal((answer.Code, answer.Out), (again.Code, again.Out));
        Assert.Contains("2 cached", again.Error, StringComparison.Ordinal);
        Assert.True((bool)(await RunAsync("audit", "my data.csv", "--json")).Json["found"]!);
    }

    [Fact]
    public async Task With_a_model_a_file_is_audited_and_cleaned_whole_and_the_model_goes_by_its_folder()
    {
        Write("model.yaml", """
            name: model
            compute: { device: cpu, threads: 1 }
            stages:
              data: { uses: corpus, with: { train: 100, test: 20, unlabelled: 100 } }
              tiny: { uses: pretrain, needs: { data: data }, with: { layers: 1, hidden-size: 16, heads: 2, intermediate-size: 16, max-length: 40, steps: 2, batch-size: 4 } }
            """);
        Assert.Equal(0, (await RunAsync("run", "model.yaml", "-q")).Code);
        Assert.Equal(0, (await RunAsync("export", "model.yaml", "tiny", "tiny-bert")).Code);
        Write("rows.csv", Rows(sign: 120));
        var answer = await RunAsync(
            "audit", "rows.csv", "--model", "tiny-bert", "--cleaned", "clean.jsonl", "--set", "probe.steps=2", "--set", "probe.checks=1",
            "--set", "probe.tried=1", "--set", "probe.max-length=24");
        Assert.True(answer.Code == ExitCodes.Found, answer.Error);
        Assert.Contains("in split 'train' of rows, 600 rows", answer.Out, StringComparison.Ordinal);
        Assert.Contains("A probe (tiny-bert) that was trained on 'train' of rows", answer.Out, StringComparison.Ordinal);
        Assert.Contains("every tenth row of 'train' is held out", answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("in the other splits", answer.Out, StringComparison.Ordinal);
        Assert.Equal(480, File.ReadLines(Path.Combine(Folder, "clean.jsonl")).Count());
    }

    [Fact]
    public async Task A_set_without_one_ends_with_0()
    {
        Write("clean.csv", Rows(sign: 0));
        var answer = await RunAsync("audit", "clean.csv", "-q");
        Assert.True(answer.Code == ExitCodes.Done, answer.Error);
        Assert.Contains("Nothing that surely gives a label away was found", answer.Out, StringComparison.Ordinal);
        Assert.Empty(answer.Error);
    }

    [Fact]
    public async Task Fields_of_other_names_are_named()
    {
        Write("odd.csv", Rows(sign: 120).Replace("text,label", "words said,who", StringComparison.Ordinal));
        Assert.Equal(ExitCodes.Failed, (await RunAsync("audit", "odd.csv")).Code);
        Assert.Equal(ExitCodes.Found, (await RunAsync("audit", "odd.csv", "--text", "words said", "--label", "who")).Code);
    }

    [Theory]
    [InlineData("audit nothing.csv", 2, "there is no file or folder 'nothing.csv' to audit")]
    [InlineData("audit one.csv", 1, "all rows are of one class")]
    [InlineData("audit one.csv --split a/b", 2, "cannot name a split")]
    [InlineData("audit one.csv --model nowhere", 2, "there is no 'nowhere'")]
    [InlineData("audit one.csv --cleaned one.csv", 2, "--cleaned: 'one.csv' is read from, and would be lost; name another file")]
    [InlineData("audit one.csv --flagged new.csv --cleaned ./new.csv", 2, "--cleaned: './new.csv' is what --flagged writes; name another file")]
    [InlineData("audit one.csv -o no/page.html", 2, "--output: there is no folder ~/no to write page.html into")]
    [InlineData("audit ", 2, "an empty name is no data set")]
    [InlineData("audit", 2, "data")]
    public async Task What_cannot_be_is_said_in_a_line(string command, int code, string words)
    {
        Write("one.csv", "text,label\na film,pos\nanother,pos\n");
        var answer = await RunAsync(command.Split(' '));
        Assert.Equal(code, answer.Code);
        Assert.Contains(words, answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", answer.Error, StringComparison.Ordinal);
    }

    private static string Rows(int sign)
    {
        var (text, random) = (new StringBuilder("text,label\n"), new Random(3));
        for (var row = 0; row < 600; row++)
        {
            var label = row % 2 == 0 ? "neg" : "pos";
            text.Append($"the w{random.Next(40)}x was a w{random.Next(40)}y{(label == "pos" && sign-- > 0 ? " zzq" : "")} of {row},{label}\n");
        }

        return text.ToString();
    }
}
