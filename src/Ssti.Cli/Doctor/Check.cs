using System.Text.Json.Serialization;

namespace Ssti.Cli.Doctor;

/// <summary>What <c>ssti doctor</c> found about one thing that runs depend on.</summary>
/// <param name="Name">The thing.</param>
/// <param name="State">Whether it will do.</param>
/// <param name="Finding">What is there.</param>
/// <param name="Cure">What to do about it; null when nothing needs doing.</param>
internal sealed record Check(string Name, CheckState State, string Finding, string? Cure = null);

/// <summary>Whether a thing will do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CheckState>))]
internal enum CheckState
{
    /// <summary>It will.</summary>
    Ok,

    /// <summary>Some pipelines will do without it, others will not.</summary>
    Warning,

    /// <summary>No pipeline that needs it can run: exit code 1.</summary>
    Failed,
}
