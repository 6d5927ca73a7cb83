using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>A rank for the modules that a pattern matches: an entry of PEFT's rank_pattern.</summary>
public sealed record RankOfModules
{
    /// <summary>Which modules.</summary>
    [Description("a regular expression for the end of a module's name, such as q_proj or layers.0.self_attn.q_proj")]
    public required string Modules { get; init; }

    /// <summary>Their rank.</summary>
    [Description("their LoRA rank")]
    public required int Rank { get; init; }
}

/// <summary>An alpha for the modules that a pattern matches: an entry of PEFT's alpha_pattern.</summary>
public sealed record AlphaOfModules
{
    /// <summary>Which modules.</summary>
    [Description("a regular expression for the end of a module's name, such as q_proj or layers.0.self_attn.q_proj")]
    public required string Modules { get; init; }

    /// <summary>Their alpha.</summary>
    [Description("their LoRA alpha")]
    public required double Alpha { get; init; }
}
