using Ssti.Tests;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti convert</c> as its user meets it; what it writes is held by the tests of the nets.</summary>
public sealed class ConvertTests : CliFixture
{
    private static string Stories => SharedData.Path("models/stories260K");

    [SkippableFact]
    public async Task A_checkpoint_becomes_a_folder_and_the_answer_says_what_is_in_it()
    {
        var answer = await RunAsync("convert", Stories, "out/stories");
        Assert.Equal((0, ""), (answer.Code, answer.Error));
        Assert.EndsWith("out/stories: config.json, model.safetensors, tokenizer.model, tokenizer_config.json; 47 tensors, 1.0 MB\n", answer.Out);
        Assert.Equal(4, Directory.GetFiles(Path.Combine(Folder, "out/stories")).Length);

        var json = (await RunAsync("convert", Path.Combine(Stories, "stories260K.bin"), "again", "--tokenizer", Path.Combine(Stories, "tok512.bin"), "--json")).Json;
        Assert.Equal(("llama2.c", 47, 1_040_128), ((string?)json["format"], (int)json["tensors"]!, (int)json["bytes"]!));
        foreach (var file in json["files"]!.AsArray().Select(file => (string)file!))
            Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, "out/stories", file)), File.ReadAllBytes(Path.Combine(Folder, "again", file)));
        Assert.Equal("", (await RunAsync("convert", Stories, "third", "-q")).Error);
    }

    [Theory]
    [InlineData("there is no file or folder", "nowhere", "out")]
    [InlineData("holds nothing that can be converted; known are llama2.c checkpoints", "empty", "out")]
    [InlineData("is nothing that can be converted", "text.bin", "out")]
    [InlineData("has no vocab.txt or tokenizer.json beside it; name the tokenizer's file or folder with --tokenizer", "model.onnx", "out")]
    [InlineData("there is no file or folder", "model.onnx", "out", "--tokenizer", "nowhere")]
    [InlineData("an empty name is no file or folder", "", "out")]
    [InlineData("an empty name is no file or folder", "model.onnx", "")]
    public async Task What_cannot_be_converted_is_said_in_a_line_and_nothing_is_written(string expected, string from, string to, params string[] more)
    {
        Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        Write("text.bin", "some words that are no checkpoint of anything");
        Write("model.onnx", "nothing");
        var answer = await RunAsync(["convert", from, to, .. more]);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.StartsWith("ssti: ", answer.Error);
        Assert.Contains(expected, answer.Error);
        Assert.Single(answer.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(Directory.Exists(Path.Combine(Folder, "out")));
    }

    [SkippableFact]
    public async Task A_folder_with_something_in_it_is_left_as_it_is()
    {
        Write("out/mine.txt", "mine");
        var answer = await RunAsync("convert", Stories, "out");
        Assert.Equal(2, answer.Code);
        Assert.Contains("out is there already; name another folder", answer.Error);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Folder, "out/mine.txt")));
    }
}
