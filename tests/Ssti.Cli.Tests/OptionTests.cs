using System.CommandLine;
using Ssti.Cli.Commands;

namespace Ssti.Cli.Tests;

/// <summary>Options are the same on all verbs: the table of who has which, and the rules that it follows.</summary>
public sealed class OptionTests : CliFixture
{
    private static readonly string[] OfAll = ["--quiet", "--verbose", "--json"];

    // Every verb's own options beside those of all.
    private static readonly Dictionary<string, string> Own = new()
    {
        ["run"] = "--set --profile --device --no-local --until --from --only --force --store --dry-run --keep-going --strict --jobs --gpus --per-gpu "
            + "--together --memory --cluster --question --locked",
        ["fit"] = "--model --text-column --label-column --encoding --delimiter --no-header --output --force --train --rank --learning-rate --epochs --batch-size --max-length "
            + "--validation --test --patience --class-weights --seed --device --store",
        ["predict"] = "--model --labels --max-length --text-column --id-column --format --encoding --delimiter --no-header --all-classes --output --device --store",
        ["serve"] = "--store --port --http --jobs --gpus --per-gpu",
        ["silo"] = "",
        ["plan"] = "--set --profile --device --no-local --until --from --only --force --store --question --cluster",
        ["status"] = "--set --profile --device --no-local --question --stage --store",
        ["why"] = "--set --profile --device --no-local --stage --store",
        ["runs"] = "--limit --pipeline --store",
        ["show"] = "--set --profile --device --no-local --stage --pipeline --store",
        ["log"] = "--run --pipeline --stage --store",
        ["diff"] = "--markdown --question --pipeline --store",
        ["measures"] = "--output --stage --pipeline --store",
        ["figure"] = "--png --svg --output --scale --force --stage --pipeline --store",
        ["report"] = "--output --rows --pipeline --store",
        ["trace"] = "--html --output --pipeline --store",
        ["graph"] = "--dot --cells --until --set --profile --device --no-local --store",
        ["export"] = "--force --set --profile --device --no-local --stage --pipeline --store",
        ["push"] = "--run --pipeline --stage --set --profile --device --no-local --store",
        ["pull"] = "--run --pipeline --stage --set --profile --device --no-local --store",
        ["import"] = "--store",
        ["convert"] = "--tokenizer",
        ["verify"] = "--repair --rerun --seed --stage --set --profile --device --no-local --store",
        ["lock"] = "--update",
        ["gc"] = "--keep-last --keep-since --keep-young --keep-run --drop-run --unused --yes --dry-run --set --profile --device --no-local --store",
        ["kinds"] = "",
        ["schema"] = "",
        ["doctor"] = "--store",
    };

    private readonly Command _root;

    public OptionTests() => _root = CommandLine.Root(new CliHost
    {
        Kinds = () => Kinds, Terminal = new Terminal(TextWriter.Null, TextWriter.Null, false), WorkingFolder = Folder, Environment = _ => null, Probe = new FakeProbe(),
    });

    [Fact]
    public void The_table_of_verbs_and_options_holds()
    {
        foreach (var (name, options) in Own)
        {
            var verb = Assert.Single(_root.Subcommands, verb => verb.Name == name);
            Assert.Superset(options.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(), Names(verb).ToHashSet());
        }
    }

    [Theory]
    [InlineData("--device: 'cdua' is none of auto, cpu, cuda (did you mean 'cuda'?).", "--device", "cdua")]
    [InlineData("--device: 'x' is none of auto, cpu, cuda.", "--device", "x")]
    [InlineData("--jobs: 99999999999999 is too large; at most 2147483647 is taken.", "-j", "99999999999999")]
    [InlineData("--jobs: '0' is no whole number of 1 or more.", "-j", "0")]
    [InlineData("--jobs: 'many' is no whole number of 1 or more.", "-j", "many")]
    [InlineData("--per-gpu: '0' is no whole number from 1 to 64.", "--per-gpu", "0")]
    [InlineData("--per-gpu: 100 is too large; at most 64 is taken.", "--per-gpu", "100")]
    [InlineData("leave it out with --cluster.", "--per-gpu", "2", "--cluster", "local")]
    [InlineData("--together: '0' is no whole number of 1 or more.", "--together", "0")]
    [InlineData("--together: a cluster's silos take their stages one by one; leave it out with --cluster.", "--together", "4", "--cluster", "local")]
    public async Task A_value_that_cannot_be_is_answered_with_what_could(string told, params string[] option)
    {
        Write("p.yaml", TwoStages);
        var answer = await RunAsync(["run", "p.yaml", .. option]);
        Assert.Equal(2, answer.Code);
        Assert.Contains(told, answer.Error);
    }

    [Fact]
    public void Every_verb_takes_quiet_verbose_and_json_by_the_same_names()
    {
        Assert.Equal(OfAll, _root.Options.Where(option => option.Recursive && option.Name is not "--help" and not "--version").Select(option => option.Name));
        foreach (var verb in _root.Subcommands)
        {
            foreach (var option in (string[])["-q", "-v", "--json", "--quiet", "--verbose"])
                Assert.DoesNotContain(_root.Parse([verb.Name, option]).Errors, error => error.Message.Contains($"'{option}'"));
            // Its own must not take their letters for something else.
            Assert.DoesNotContain(verb.Options, option => OfAll.Contains(option.Name) || option.Aliases.Intersect(["-q", "-v"]).Any());
        }
    }

    [Fact]
    public void One_name_is_one_option_and_one_letter_one_meaning_wherever_it_stands()
    {
        foreach (var same in _root.Subcommands.SelectMany(verb => verb.Options).GroupBy(option => option.Name))
        {
            if (same.Key is "--help" or "--force" or "--output" or "--jobs" or "--gpus" or "--run" or "--dry-run" or "--question" or "--seed"
                or "--model" or "--max-length") continue; // the same of other things
            Assert.Single(same.Select(option => option.Description).Distinct());
        }

        // The other way round: -f is always --force, -n --dry-run or a number of things, -o --output, -r --run, -p --pipeline, -j --jobs, -k --keep-going, -y --yes.
        foreach (var letter in _root.Subcommands.SelectMany(verb => verb.Options).SelectMany(option => option.Aliases.Select(alias => (alias, option.Name))).Distinct()
            .Where(pair => pair.alias.Length == 2 && pair.alias is not "-n" and not "-?" and not "-h").GroupBy(pair => pair.alias))
            Assert.Single(letter);
    }

    [Fact]
    public void A_verb_about_a_pipeline_takes_overrides_and_a_store_one_about_a_run_a_pipeline_and_one_about_stages_a_name_for_them()
    {
        foreach (var verb in _root.Subcommands)
        {
            var (options, arguments) = (Names(verb).ToList(), verb.Arguments.Select(argument => argument.Name).ToList());
            var takesPipeline = arguments.Any(name => name is "pipeline.yaml" or "pipelines" or "what");
            if (takesPipeline && verb.Name != "lock") Assert.Superset(new HashSet<string> { "--set", "--profile", "--device", "--no-local", "--store" }, options.ToHashSet());
            if (arguments.Any(name => name is "run" or "runs" or "runs|pipelines" or "what") || options.Contains("--run")) Assert.Contains("--pipeline", options);
            if (arguments.Any(name => name.StartsWith("stage", StringComparison.Ordinal))) Assert.Contains("--stage", options);
            if (options.Contains("--from") || options.Contains("--only")) Assert.DoesNotContain("--stage", options);
        }
    }

    [Fact]
    public void Every_verb_stands_in_the_documentation()
    {
        var page = File.ReadAllText(Path.Combine(Ssti.Tests.Repository.Root, "docs", "command-line.md"));
        foreach (var verb in _root.Subcommands) Assert.Contains($"`{verb.Name}`", page);
    }

    [Fact]
    public async Task Quiet_leaves_results_and_json_is_json_on_every_verb_that_reports()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml");
        string[][] verbs =
        [
            ["run", "p.yaml"], ["plan", "p.yaml"], ["status", "p.yaml"], ["why", "p.yaml"], ["runs"], ["show", "last"], ["log", "first"], ["diff"], ["trace"], ["report"],
            ["graph", "p.yaml"], ["export", "p.yaml", "first", "out"], ["export", "last", "run.tar"], ["import", "run.tar"], ["push", "other"], ["pull", "other"],
            ["verify"], ["gc"], ["kinds"], ["schema"],
        ];
        foreach (var verb in verbs)
        {
            var answer = await RunAsync([.. verb, "--json", "-q"]);
            Assert.True(answer.Code == 0 && answer.Error == "", $"{string.Join(' ', verb)}: {answer.Code} {answer.Error}");
            Assert.NotNull(answer.Json);
            if (verb[0] is not ("kinds" or "schema")) Assert.Contains("store: ~/.ssti", (await RunAsync([.. verb, "-v"])).Error);
        }
    }

    private static IEnumerable<string> Names(Command verb) => verb.Options.Select(option => option.Name).Where(name => name != "--help");
}
