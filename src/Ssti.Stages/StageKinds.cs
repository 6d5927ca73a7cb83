using Ssti.Corpus.Hub;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Every kind of stage this program knows: what <c>uses:</c> may name.</summary>
public static class StageKinds
{
    /// <summary>The kinds, in the order in which a pipeline goes through them; for help and schemas, as they know no token and no cache.</summary>
    public static IReadOnlyList<IStageKind> All { get; } = With(null);

    /// <summary>The kinds, to be run.</summary>
    /// <param name="hub">How to reach the Hugging Face Hub; null: without a token, and without a cache that outlives a stage.</param>
    /// <param name="environment">Gives an environment variable, or null: where the keys of chat endpoints are. Null: there are none.</param>
    public static IReadOnlyList<IStageKind> With(HubOptions? hub, Func<string, string?>? environment = null) =>
    [
        new CorpusStage(),
        new DatasetStage(hub),
        new SplitStage(),
        new ModelStage(hub),
        new AdapterStage(hub),
        new InjectStage(),
        new SanitiseStage(environment),
        new ParaphraseStage(environment),
        new PretrainStage(),
        new TokeniseStage(),
        new TrainStage(),
        new EvaluateStage(),
        new AttentionStage(),
        new TokenEntropyStage(),
        new StealthStage(),
        new AuditDataStage(),
        new ProbeDataStage(),
        new ParameterCountStage(),
        new AuditAdapterStage(),
        new AdapterBankStage(),
        new DefendStage(),
        new TableStage(),
        new FigureStage(),
        new ClaimStage(),
        new ReportStage(),
    ];
}
