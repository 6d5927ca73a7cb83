using System.Text.Json.Nodes;

namespace Ssti.Cli.Tests;

/// <summary>A store that several people share, and whose word counts in it: two users by their keys, and a third who has none.</summary>
public sealed class TrustTests : CliFixture
{
    [Fact]
    public async Task A_run_takes_the_results_of_named_keys_and_executes_all_others_again()
    {
        Write("p.yaml", TwoStages);
        // A stranger's results first: whoever trusts nobody in particular takes them.
        As("carol");
        await RunAsync("run", "p.yaml", "--store", "shared");
        As("alice");
        Assert.Contains("'ssti keys new' makes yours", (await RunAsync("keys")).Error, StringComparison.Ordinal);
        var made = await RunAsync("keys", "new");
        Assert.Equal(0, made.Code);
        Assert.Matches("^[0-9a-f]{16}  own\n$", made.Out);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, "alice", "own.key")));
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "shared")).Out, StringComparison.Ordinal);

        var plan = await RunAsync("plan", "p.yaml", "--store", "shared", "--trust", "own");
        Assert.Contains("is not signed by own", plan.Error, StringComparison.Ordinal);
        Assert.Contains("3 executed, 0 cached", (await RunAsync("run", "p.yaml", "--store", "shared", "--trust", "own")).Out, StringComparison.Ordinal);
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "shared", "--trust", "own")).Out, StringComparison.Ordinal);
        Assert.Contains("signatures: 3 by own; 0 bad ones; 0 records without", (await RunAsync("verify", "--store", "shared", "--signatures")).Out, StringComparison.Ordinal);

        // Bob has alice's public key, and his own; signatures travel with what they are about.
        As("bob");
        await RunAsync("keys", "new");
        Assert.Contains("there is no key of 'alice'", (await RunAsync("run", "p.yaml", "--store", "shared", "--trust", "alice")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("keys", "add", "alice", "alice/own.pub")).Code);
        Assert.Contains("is the key of 'alice'", (await RunAsync("keys", "add", "mallory", "alice/own.pub")).Error, StringComparison.Ordinal);
        Assert.Contains("is no public key", (await RunAsync("keys", "add", "mallory", "p.yaml")).Error, StringComparison.Ordinal);
        await RunAsync("pull", "shared", "--store", "mine");
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "mine", "--trust", "own,alice")).Out, StringComparison.Ordinal);
        Assert.Contains("3 executed, 0 cached", (await RunAsync("run", "p.yaml", "--store", "mine", "--trust", "own")).Out, StringComparison.Ordinal);
        Assert.Contains("signatures: 3 by alice, 3 by own", (await RunAsync("verify", "--store", "mine", "--signatures")).Out, StringComparison.Ordinal);
        // By default nobody is asked for a signature.
        Variables["SSTI_TRUST"] = "alice";
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "mine")).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("keys", "remove", "alice")).Code);
        Assert.Contains("there is no key of 'alice'", (await RunAsync("run", "p.yaml", "--store", "mine")).Error, StringComparison.Ordinal);
        Variables.Remove("SSTI_TRUST");

        // What is signed goes along into an archive.
        Assert.Equal(0, (await RunAsync("export", "last", "run.tar", "--store", "mine")).Code);
        Assert.Equal(0, (await RunAsync("import", "run.tar", "--store", "third")).Code);
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "third", "--trust", "own")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another's name")]
    [InlineData("another record")]
    [InlineData("another tree")]
    [InlineData("one bit")]
    [InlineData("no JSON")]
    public async Task A_signature_that_is_not_what_it_should_be_counts_for_nothing_and_is_told(string what)
    {
        Write("p.yaml", TwoStages);
        As("alice");
        await RunAsync("keys", "new");
        await RunAsync("run", "p.yaml", "--store", "shared");
        var files = Directory.GetFiles(Path.Combine(Folder, "shared", "ac"), "*.sig", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(3, files.Count);
        switch (what)
        {
            case "another's name":
                File.Move(files[0], files[0][..^20] + "0123456789abcdef.sig");
                break;
            case "another record":
                File.Copy(files[1], files[0], overwrite: true);
                break;
            case "one bit":
                File.WriteAllText(files[0], File.ReadAllText(files[0]).Replace("two", "tvo", StringComparison.Ordinal).Replace("p.yaml", "q.yaml", StringComparison.Ordinal));
                break;
            case "another tree":
                var json = JsonNode.Parse(File.ReadAllText(files[0]))!;
                var record = JsonNode.Parse((string)json["record"]!)!;
                record["tree"] = (string)JsonNode.Parse((string)JsonNode.Parse(File.ReadAllText(files[1]))!["record"]!)!["tree"]!;
                json["record"] = record.ToJsonString();
                File.WriteAllText(files[0], json.ToJsonString());
                break;
            default:
                File.WriteAllBytes(files[0], [0xff, 0, 1]);
                break;
        }

        var verified = await RunAsync("verify", "--store", "shared", "--signatures");
        Assert.Equal(4, verified.Code);
        Assert.Contains("bad signature: of ", verified.Out, StringComparison.Ordinal);
        Assert.Contains("signatures: 2 by own; 1 bad one; 1 record without a good one", verified.Out, StringComparison.Ordinal);
        Assert.Contains("is not signed by own", (await RunAsync("plan", "p.yaml", "--store", "shared", "--trust", "own")).Error, StringComparison.Ordinal);
        await RunAsync("run", "p.yaml", "--store", "shared", "--trust", "own");
        Assert.Contains("0 executed, 3 cached", (await RunAsync("run", "p.yaml", "--store", "shared", "--trust", "own")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_whose_warnings_were_taken_out_is_told_and_the_signed_ones_count()
    {
        Write("p.yaml", TwoStages);
        As("alice");
        await RunAsync("keys", "new");
        await RunAsync("run", "p.yaml", "--store", "shared");
        var path = Directory.GetFiles(Path.Combine(Folder, "shared", "ac"), "*.json", SearchOption.AllDirectories)[0];
        var record = JsonNode.Parse(File.ReadAllText(path))!;
        record["warnings"] = new JsonArray("all is well");
        File.WriteAllText(path, record.ToJsonString());

        Assert.Contains("all is well", (await RunAsync("plan", "p.yaml", "--store", "shared")).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("all is well", (await RunAsync("plan", "p.yaml", "--store", "shared", "--trust", "own")).Error, StringComparison.Ordinal);
        var verified = await RunAsync("verify", "--store", "shared", "--signatures");
        Assert.Equal(4, verified.Code);
        Assert.Contains("has other warnings than were signed", verified.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Passwords_on_a_command_line_stay_out_of_the_journal()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "--set", "first.text=http://user:marked-1@host/x", "--set", "second.text=a,password=marked-2,b");
        var journal = File.ReadAllText(Directory.GetFiles(Path.Combine(Folder, ".ssti", "runs"), "journal.jsonl", SearchOption.AllDirectories)[0]);
        Assert.Contains("first.text=http://\\u2026@host/x", journal, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("marked", journal.Split('\n')[0], StringComparison.Ordinal);
    }

    private void As(string who) => Variables["SSTI_KEYS"] = Path.Combine(Folder, who);
}
