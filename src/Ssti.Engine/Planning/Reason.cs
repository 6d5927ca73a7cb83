namespace Ssti.Engine.Planning;

/// <summary>Why a stage has to run: a closed list.</summary>
public enum ReasonKind
{
    /// <summary>It never ran, or nothing is known of when it did.</summary>
    NoRecord,

    /// <summary>It is of another kind than before.</summary>
    KindChanged,

    /// <summary>Its kind's version was bumped: the same parameters now give other bytes.</summary>
    VersionChanged,

    /// <summary>A parameter, or the content of a source, changed.</summary>
    ParameterChanged,

    /// <summary>An input changed.</summary>
    InputChanged,

    /// <summary>Device class, threads, precision or libtorch changed.</summary>
    NumericsChanged,

    /// <summary>The seed changed.</summary>
    SeedChanged,

    /// <summary>The salt changed.</summary>
    SaltChanged,

    /// <summary>The profile changed, and the stage's output tells it.</summary>
    ProfileChanged,

    /// <summary>The program writes key documents of another schema now.</summary>
    SchemaChanged,

    /// <summary>It ran with this very key, but its record or outputs are missing or damaged.</summary>
    OutputMissing,

    /// <summary>Asked for on the command line.</summary>
    Forced,

    /// <summary>A stage it needs has to run first; whether it has to run itself is known only then.</summary>
    UpstreamStale,
}

/// <summary>A reason why a stage has to run.</summary>
/// <param name="Kind">Which of the list.</param>
/// <param name="Field">The field of the key document (<c>parameters.rank</c>, <c>inputs.data</c>), the stage upstream, or null.</param>
/// <param name="Old">The earlier value, as JSON; null when it had none.</param>
/// <param name="New">The value now, as JSON; null when it has none.</param>
/// <param name="Detail">More, such as what is damaged or how many files of an input differ.</param>
public sealed record Reason(ReasonKind Kind, string? Field = null, string? Old = null, string? New = null, string? Detail = null)
{
    /// <summary>The reason as a phrase, such as <c>rank changed from 8 to 16</c>.</summary>
    public override string ToString()
    {
        var name = Field is { } field && field.Contains('.', StringComparison.Ordinal) ? field[(field.IndexOf('.', StringComparison.Ordinal) + 1)..] : Field;
        var more = Detail is null ? "" : $" ({Detail})";
        return Kind switch
        {
            ReasonKind.NoRecord => "no record" + more,
            ReasonKind.KindChanged => $"kind changed{Values}",
            ReasonKind.VersionChanged => $"version of its kind changed{Values}",
            ReasonKind.ParameterChanged => $"parameter {name} changed{Values}{more}",
            // Many trees are told of one by one in the detail; their whole list says nothing.
            ReasonKind.InputChanged when Detail is not null && (Old?.StartsWith('[') == true || New?.StartsWith('[') == true) => $"input {name} changed: {Detail}",
            ReasonKind.InputChanged => $"input {name} changed{Values}{more}",
            ReasonKind.NumericsChanged => $"{name} changed{Values}",
            ReasonKind.SeedChanged => $"seed changed{Values}",
            ReasonKind.SaltChanged => $"salt changed{Values}",
            ReasonKind.ProfileChanged => $"profile changed{Values}",
            ReasonKind.SchemaChanged => $"key schema changed{Values}",
            ReasonKind.OutputMissing => "output missing or damaged" + more,
            ReasonKind.Forced => "forced",
            _ => $"upstream {Field} is stale",
        };
    }

    private string Values => (Old, New) switch
    {
        (null, null) => "",
        (null, _) => $": added as {Shorten(New)}",
        (_, null) => $": {Shorten(Old)} removed",
        _ => $" from {Shorten(Old)} to {Shorten(New)}",
    };

    // A digest is known by its first digits; a long text by its beginning.
    private static string Shorten(string value) =>
        value.Length >= 64 && value.Trim('"').All(char.IsAsciiHexDigitLower) ? value.Trim('"')[..12] : value.Length > 80 ? value[..80] + "…" : value;
}
