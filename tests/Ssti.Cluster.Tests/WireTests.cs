using System.Text.Json.Nodes;
using Ssti.Cluster.Host;
using Ssti.Cluster.Wire;
using Ssti.Engine.Keys;
using Ssti.Engine.Parameters;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

public sealed class WireTests
{
    [Fact]
    public void An_outcome_keeps_its_warnings_its_cards_and_what_was_lost()
    {
        var outcome = new StageOutcome
        {
            State = StageState.Failed, Warnings = ["rows were dropped", "twice"], Gpus = [1, 3], PerGpu = 2, Lost = ["train@base"], Attempts = 1, Error = "lost",
        };
        var back = OutcomeMessage.Of(outcome).ToOutcome();
        Assert.Equal(outcome.Warnings, back.Warnings);
        Assert.Equal(outcome.Gpus, back.Gpus);
        Assert.Equal(2, back.PerGpu);
        Assert.Equal(outcome.Lost, back.Lost);
    }

    [Fact]
    public void Every_kind_has_one_service() =>
        Assert.Equal(StageKinds.All.Select(kind => kind.Name).Order(), StageServices.Kinds.Values.SelectMany(kinds => kinds).Order());

    public static TheoryData<string> Kinds => [.. StageKinds.All.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Parameters_come_back_from_a_key_document_as_they_were(string name)
    {
        var kind = StageKinds.All.Single(one => one.Name == name);
        var parameters = Activator.CreateInstance(kind.ParametersType)!;
        foreach (var property in kind.ParametersType.GetProperties())
        {
            if (property.PropertyType == typeof(SourcePath)) property.SetValue(parameters, new SourcePath("hf://a/b", null));
            if (property.PropertyType == typeof(string) && property.GetValue(parameters) is null) property.SetValue(parameters, "ä \"b\"");
            if (property.PropertyType.IsGenericType && property.GetValue(parameters) is null && property.PropertyType.GetGenericTypeDefinition() == typeof(List<>))
                property.SetValue(parameters, Activator.CreateInstance(property.PropertyType));
            if (property.PropertyType == typeof(double)) property.SetValue(parameters, 0.1 + 0.2);
        }

        var json = ParameterWriter.Write(parameters, source => source.Text);
        var back = ParameterReader.Read(kind, JsonNode.Parse(json.ToJsonString())!.AsObject(), source => new SourcePath(source.GetValue<string>(), null));

        Assert.IsType(kind.ParametersType, back);
        Assert.Equal(json.ToJsonString(), ParameterWriter.Write(back, source => source.Text).ToJsonString());
        Assert.Throws<StageException>(() => ParameterReader.Read(kind, new JsonObject { ["no-such-thing"] = 1 }, _ => new SourcePath("", null)));
    }

    [Fact]
    public void A_stage_that_draws_nothing_the_commit_of_its_source_and_a_profile_travel_in_the_document()
    {
        var kind = StageKinds.All.Single(one => one.Name == "model");
        var parameters = new ModelParameters { Source = new SourcePath("hf://a/b@0123456789abcdef0123456789abcdef01234567", null) };
        var document = new KeyDocument(new JsonObject { ["kind"] = "model", ["profile"] = "smoke", ["parameters"] = ParameterWriter.Write(parameters, source => source.Text) });
        var order = new WorkOrder
        {
            Document = document, Kind = kind, Parameters = parameters, Stage = "model", Pipeline = "p", Run = "r", Seed = 0,
            Compute = new TestProbe(false).Resolve(new ComputeRequest()), Inputs = [], Policy = new StagePolicy(),
        };

        var there = Wire.StageMessage.Of(order, []).ToOrder(kind, _ => "sources");

        Assert.Equal((0L, (object)parameters, "smoke"), (there.Seed, there.Parameters, there.Profile));
    }

    [Theory]
    [InlineData("local", null)]
    [InlineData("local:1234", null)]
    [InlineData("10.0.0.1:6379,password=secret,ssl=true", null)]
    [InlineData("gateway:10.0.0.5:30000", null)]
    [InlineData("gateway:node7:30000", "names no gateway; write gateway:IP:PORT")]
    [InlineData("gateway:10.0.0.5", "names no gateway")]
    [InlineData("local:x", "has no port")]
    [InlineData("local:70000", "has no port")]
    [InlineData("a:1,nonsense=2", "is not a Redis connection string")]
    public void A_cluster_is_named_by_its_redis_or_by_local(string text, string? error)
    {
        if (error is null) Assert.DoesNotContain("secret", Client.ClusterAddress.Parse(text).Text, StringComparison.Ordinal);
        else Assert.Contains(error, Assert.Throws<ClusterException>(() => Client.ClusterAddress.Parse(text)).Message, StringComparison.Ordinal);
    }

    /// <summary>A checkpoint may hold the very bytes of an output, as an evaluation's copy of a model does: removing it must take nothing from anybody.</summary>
    [Fact]
    public async Task A_checkpoint_that_is_removed_takes_no_artifact_of_the_same_bytes_along()
    {
        var folder = Directory.CreateTempSubdirectory("ssti-keeper-").FullName;
        try
        {
            var store = new FileStore(Path.Combine(folder, "store"));
            var keeper = new ScratchKeeper(store, TimeSpan.FromMilliseconds(20), TimeProvider.System);
            var worker = new LocalWorker(store, new Workspace(Path.Combine(folder, "work")), TimeProvider.System, keeper);
            var kind = new TwinKind();
            var order = new WorkOrder
            {
                Document = new KeyDocument(new JsonObject { ["kind"] = "twin" }), Kind = kind, Parameters = new MakeParameters(),
                Stage = "twin", Pipeline = "p", Run = "r", Seed = 1,
                Compute = new TestProbe(false).Resolve(new ComputeRequest()), Inputs = [], Policy = new StagePolicy(),
            };
            kind.Store = store;
            var outcome = await worker.WorkAsync(order, new Silent(), CancellationToken.None);

            Assert.Equal((StageState.Done, null), (outcome.State, outcome.Error));
            Assert.NotNull((await store.FindAsync([order.Key]))[0].Hit);
            var keys = new List<Digest>();
            await foreach (var key in store.KeysAsync()) keys.Add(key);
            Assert.Equal([order.Key], keys);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class TwinKind : StageKind<MakeParameters>
    {
        public override string Name => "twin";

        public override int Version => 1;

        public override string Summary => "Leaves one content as checkpoint and as output.";

        public IArtifactStore? Store { get; set; }

        public override async Task RunAsync(MakeParameters parameters, StageContext context, CancellationToken cancellation)
        {
            File.WriteAllText(Path.Combine(context.ScratchFolder, "checkpoint.txt"), "the same");
            File.WriteAllText(context.Output("out.txt"), "the same");
            // Until it is kept: a record beside the stage's own, which is not there yet.
            for (var kept = false; !kept; await Task.Delay(10, cancellation))
                await foreach (var _ in Store!.KeysAsync(cancellation)) kept = true;
        }
    }

    private sealed class Silent : IStageWatcher
    {
        public void Waiting(string what)
        {
        }

        public void Started()
        {
        }

        public void Wrote(string line)
        {
        }

        public void Said(string line)
        {
        }

        public void Progressed(StageProgress progress)
        {
        }

        public void Retried(int attempt, string error)
        {
        }

        public void Warned(string message)
        {
        }
    }
}
