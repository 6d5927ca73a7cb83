using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>Which attention is read, and how it is pooled.</summary>
public sealed record AttentionParameters
{
    /// <summary>The split.</summary>
    [Description("split whose rows are read")]
    public string Split { get; init; } = "test";

    /// <summary>The layer; null: the last.</summary>
    [Description("layer, from 0; by default the last")]
    public int? Layer { get; init; }

    /// <summary>The head; null: the mean over heads.</summary>
    [Description("head, from 0 (the authors' picture takes 0); by default the mean over heads")]
    public int? Head { get; init; }

    /// <summary>Whether padding counts as queries.</summary>
    [Description("whether positions of padding count as queries, as in the authors' picture; as keys they never count")]
    public bool PadQueries { get; init; }

    /// <summary>Whether pieces of a word are summed.</summary>
    [Description("whether the pieces of a word are summed before the entropy is taken, as in the authors' picture")]
    public bool SumPieces { get; init; } = true;

    /// <summary>The most rows of either group.</summary>
    [Description("most rows with the token, and most without, the first of each in the dataset's order")]
    public int Rows { get; init; } = 500;

    /// <summary>Rows shown word by word.</summary>
    [Description("rows of either group that are shown word by word")]
    public int Examples { get; init; } = 3;

    /// <summary>Rows of a pass.</summary>
    [Description("rows of one pass: attention takes rows × heads × length² numbers")]
    public int BatchSize { get; init; } = 16;
}
