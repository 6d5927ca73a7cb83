using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti predict</c> with a model that was fitted, and with those of others.</summary>
public sealed class PredictTests(FittedReviews reviews) : IClassFixture<FittedReviews>
{
    [Fact]
    public async Task Predictions_are_those_of_the_evaluation_row_by_row_in_order_with_the_files_own_ids()
    {
        Assert.Equal(0, (await reviews.AskAsync("export", "model.yaml", "fit-measured", "measured", "-f")).Code);
        Assert.Equal(0, (await reviews.AskAsync("export", "model.yaml", "fit-rows", "rows", "-f")).Code);
        var measured = File.ReadLines(Path.Combine(reviews.Root, "measured", "predictions.clean.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        var answer = await reviews.AskAsync("predict", "model", "rows/test.jsonl", "--text-column", "text", "--json", "--all-classes", "-q");
        Assert.Equal((0, "warning: 15 of 18 texts were cut to the 16 tokens that the model was trained on: what stands behind is not read\n"), (answer.Code, answer.Error));
        var predicted = answer.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(measured.Select(row => (string)row["id"]!), predicted.Select(row => (string)row["id"]!));
        Assert.Equal(Enumerable.Range(1, measured.Length), predicted.Select(row => (int)row["row"]!));
        string[] labels = ["bad", "good"];
        foreach (var (expected, row) in measured.Zip(predicted))
        {
            var logits = expected["logits"]!.AsArray().Select(logit => (double)logit!).ToArray();
            var label = (int)expected["prediction"]!;
            Assert.Equal(labels[label], (string?)row["label"]);
            Assert.Equal(1 / logits.Sum(logit => Math.Exp(logit - logits[label])), (double)row["probability"]!, 1e-5);
            Assert.Equal(1, row["probabilities"]!.AsObject().Sum(pair => (double)pair.Value!), 1e-5);
        }
    }

    [Fact]
    public async Task The_column_is_the_one_it_was_fitted_on_and_CSV_is_RFC_4180()
    {
        reviews.Put("new.csv", "review text,id\n\"the film, \"\"good\"\"\",\"a,1\"\nbad,b\n\"  \",c\n");
        var answer = await reviews.AskAsync("predict", "model", "new.csv");
        Assert.Equal(0, answer.Code);
        Assert.Matches("^row,id,label,probability\r\n1,\"a,1\",(good|bad),0\\.[0-9]{6}\r\n2,b,(good|bad),0\\.[0-9]{6}\r\n3,c,,\r\n$", answer.Out);
        Assert.Contains("warning: 1 of 3 texts has no prediction: the text is empty, or has nothing that the model reads\n", answer.Error);
        Assert.Matches("note: 3 rows: (good|bad) [0-9]", answer.Error);
    }

    [Fact]
    public async Task Standard_input_is_a_text_a_line_or_what_the_format_says()
    {
        var lines = await reviews.TellAsync("the film was good\n\nbad\n", "predict", "model", "--json", "-q");
        var rows = lines.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal([1, 2, 3], rows.Select(row => (int)row["row"]!));
        Assert.Equal((null, "the text is empty, or has nothing that the model reads"), ((string?)rows[1]["label"], (string?)rows[1]["reason"]));
        var json = await reviews.TellAsync("{\"review text\":\"the film was good\"}\n", "predict", "model", "-", "--format", "jsonl", "--json", "-q");
        Assert.Equal(rows[0].ToJsonString(), json.Out.Trim());
        var one = await reviews.TellAsync("the film was good", "predict", "model", "-q");
        Assert.StartsWith("row,label,probability\r\n1,", one.Out);
        var none = await reviews.TellAsync("", "predict", "model");
        Assert.Equal((0, "row,label,probability\r\n"), (none.Code, none.Out));
        Assert.Contains("there are no rows", none.Error);
        Assert.Contains("begins with a label", (await reviews.TellAsync("__label__good the film\n", "predict", "model")).Error);
    }

    [Fact]
    public async Task A_line_that_is_typed_is_answered_before_the_next()
    {
        using var process = SstiProcess.Start(reviews.Root, ["predict", "model", "-q"], input: true);
        var error = process.StandardError.ReadToEndAsync();
        // The shortest of all lines, too: no byte behind it is waited for.
        foreach (var (text, number) in new[] { ("a", 1), ("the film was good", 2) })
        {
            await process.StandardInput.WriteAsync($"{text}\n");
            await process.StandardInput.FlushAsync();
            if (number == 1) Assert.Equal("row,label,probability", await Line());
            Assert.Matches($"^{number},(good|bad)?,", await Line());
        }

        process.StandardInput.Close();
        Assert.Null(await process.StandardOutput.ReadLineAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);

        async Task<string?> Line() => await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Texts_that_are_cut_are_counted()
    {
        var answer = await reviews.TellAsync($"good\n{string.Concat(Enumerable.Repeat("the film was good ", 20))}\n", "predict", "model", "--json");
        Assert.Contains("warning: 1 of 2 texts was cut to the 16 tokens that the model was trained on: what stands behind is not read\n", answer.Error);
        Assert.DoesNotContain("cut", answer.Out.Split('\n')[0]);
        Assert.Contains("\"cut\":true", answer.Out.Split('\n')[1]);
    }

    public static TheoryData<string, string[]> Mistakes() => new()
    {
        { "name one that 'ssti fit' wrote", ["predict", "nowhere", "new2.csv"] },
        { "is no tuned model: it has neither training.json and head.safetensors", ["predict", "corpus", "new2.csv"] },
        { "there is no file 'new3.csv'", ["predict", "model", "new3.csv"] },
        { "the format of 'new2.dat' cannot be told from its name; say it with --format", ["predict", "model", "new2.dat"] },
        { "there is no column 'review text' (the model was fitted on it); the columns are: text, id. Name it with --text-column", ["predict", "model", "new2.csv"] },
        { "there is no column 'txet' (did you mean 'text'?)", ["predict", "model", "new2.csv", "--text-column", "txet"] },
        { "--labels belongs to an adapter of PEFT's", ["predict", "model", "new2.csv", "--labels", "a,b"] },
        { "does not say where the model is that was tuned (training.json calls it 'sha256:", ["predict", "exported-2", "new2.csv"] },
        { "name them with --labels, in the order of the head's outputs", ["predict", "peft", "new2.csv", "--model", "tiny"] },
        { "--format: 'cvs' is none of lines, csv,", ["predict", "model", "new2.csv", "--format", "cvs"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_told_with_what_to_do(string told, string[] arguments)
    {
        reviews.Put("new2.csv", "text,id\nthe film,1\n");
        reviews.Put("new2.dat", "text,id\nthe film,1\n");
        Copy("exported-2", file => file is not "fit.json");
        Copy("peft", file => file.StartsWith("adapter", StringComparison.Ordinal));
        var answer = await reviews.AskAsync(arguments);
        Assert.True(answer.Code is 1 or 2, answer.Error);
        Assert.Contains(told, answer.Error);
        Assert.DoesNotContain("   at ", answer.Error);
    }

    [Fact]
    public async Task An_exported_training_and_an_adapter_of_PEFTs_predict_the_same_with_their_base()
    {
        Copy("exported-3", file => file is not "fit.json");
        Copy("peft-3", file => file.StartsWith("adapter", StringComparison.Ordinal));
        var fitted = await reviews.TellAsync("the film was good\nbad\n", "predict", "model", "-q");
        var exported = await reviews.TellAsync("the film was good\nbad\n", "predict", "exported-3", "--model", "tiny", "-q");
        Assert.Equal((0, fitted.Out, ""), (exported.Code, exported.Out, exported.Error));
        var peft = await reviews.TellAsync("the film was good\nbad\n", "predict", "peft-3", "--model", "tiny", "--labels", "bad,good", "--max-length", "16", "-q");
        Assert.Equal((0, fitted.Out, ""), (peft.Code, peft.Out, peft.Error));
    }

    [Fact]
    public async Task Another_base_than_its_own_is_refused_by_name()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(reviews.Root, "tiny")))
        {
            Directory.CreateDirectory(Path.Combine(reviews.Root, "other-base"));
            File.Copy(file, Path.Combine(reviews.Root, "other-base", Path.GetFileName(file)), overwrite: true);
        }

        File.Delete(Path.Combine(reviews.Root, "other-base", "source.json"));
        var weights = Path.Combine(reviews.Root, "other-base", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^3] ^= 1;
        File.WriteAllBytes(weights, bytes);
        var answer = await reviews.TellAsync("good\n", "predict", "model", "--model", "other-base");
        Assert.Equal(1, answer.Code);
        Assert.Contains("was trained on", answer.Error);
        Assert.Equal("", answer.Out);
    }

    [SkippableFact]
    public async Task Ten_times_the_rows_take_no_more_memory()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the peak of a process's memory is read from /proc");
        // 20 kB a row: of 2,000 that were kept there would be 80 MB, of 200 only 8.
        var line = string.Concat(Enumerable.Repeat("the film was good ", 1_100)) + "\n";
        foreach (var (name, rows) in new[] { ("some.txt", 200), ("many.txt", 2_000) }) reviews.Put(name, string.Concat(Enumerable.Repeat(line, rows)));
        var (some, many) = (await PeakAsync("some.txt", 200), await PeakAsync("many.txt", 2_000));
        Assert.True(many < some + 30_000_000, $"{some / 1e6:0} MB for 200 rows, {many / 1e6:0} MB for 2,000");
    }

    [SkippableFact]
    public async Task Whoever_has_read_enough_ends_it_quietly()
    {
        Skip.If(OperatingSystem.IsWindows(), "pipes of a shell");
        reviews.Put("endless.txt", string.Concat(Enumerable.Repeat("the film was good\n", 200_000)));
        var info = new ProcessStartInfo("/bin/bash") { WorkingDirectory = reviews.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add($"dotnet '{Path.Combine(AppContext.BaseDirectory, "ssti.dll")}' predict model endless.txt | head -2; echo ${{PIPESTATUS[0]}}");
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Matches("^row,label,probability\r\n1,(good|bad),0\\.[0-9]{6}\r\n0\n$", output);
        Assert.Equal("", await error);
    }

    [SkippableFact]
    public async Task What_is_written_into_a_file_stands_between_what_others_write_into_it()
    {
        Skip.If(OperatingSystem.IsWindows(), "a shell's redirection");
        reviews.Put("one.txt", "the film was good\n");
        var ssti = $"dotnet '{Path.Combine(AppContext.BaseDirectory, "ssti.dll")}' predict model one.txt -q";
        using var process = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = reviews.Root, ArgumentList = { "-c", $"(echo before; {ssti}; {ssti}; echo after) > all.csv" },
        })!;
        await process.WaitForExitAsync();
        var rows = "row,label,probability\r\n1,(good|bad),0\\.[0-9]{6}\r\n";
        Assert.Matches($"^before\n{rows}{rows}after\n$", File.ReadAllText(Path.Combine(reviews.Root, "all.csv")));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_named_as_it_was_given()
    {
        reviews.Put("one.txt", "the film was good\n");
        var answer = await reviews.AskAsync("predict", "model", "one.txt", "-o", "not/there.csv");
        Assert.Equal((2, "ssti: --output: there is no folder ~/not to write there.csv into\n"), (answer.Code, answer.Error));
    }

    [Theory]
    [InlineData("texts.txt")]
    [InlineData("./texts.txt")]
    [InlineData("link.txt")]
    [InlineData("model/fit.json")]
    public async Task What_is_read_is_not_replaced(string output)
    {
        reviews.Put("texts.txt", "the film was good\n");
        var link = Path.Combine(reviews.Root, "link.txt");
        if (!File.Exists(link)) File.CreateSymbolicLink(link, "texts.txt");
        var answer = await reviews.AskAsync("predict", "model", "texts.txt", "-o", output);
        Assert.Equal((2, $"ssti: --output: '{output}' is read from, and would be lost; name another file\n"), (answer.Code, answer.Error));
        Assert.Equal("the film was good\n", File.ReadAllText(Path.Combine(reviews.Root, "texts.txt")));
    }

    private void Copy(string folder, Func<string, bool> which)
    {
        Directory.CreateDirectory(Path.Combine(reviews.Root, folder));
        foreach (var file in Directory.GetFiles(Path.Combine(reviews.Root, "model")).Where(file => which(Path.GetFileName(file))))
            File.Copy(file, Path.Combine(reviews.Root, folder, Path.GetFileName(file)), overwrite: true);
    }

    private async Task<long> PeakAsync(string rows, int count)
    {
        using var process = SstiProcess.Start(reviews.Root, ["predict", "model", rows, "-o", $"{rows}.csv", "-q"], ("DOTNET_GCgen0size", "1000000"));
        var told = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var peak = 0L;
        while (!process.HasExited)
        {
            try
            {
                var line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
                if (line is not null) peak = Math.Max(peak, 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It went in between.
            }

            await Task.Delay(10);
        }

        Assert.True(process.ExitCode == 0, string.Concat(await told));
        Assert.Equal(count + 1, File.ReadLines(Path.Combine(reviews.Root, $"{rows}.csv")).Count());
        return peak;
    }
}
