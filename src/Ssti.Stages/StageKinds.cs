using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Every kind of stage this program knows: what <c>uses:</c> may name.</summary>
public static class StageKinds
{
    /// <summary>The kinds, in the order in which a pipeline goes through them.</summary>
    public static IReadOnlyList<IStageKind> All { get; } =
    [
        new TableStage(),
    ];
}
