namespace Ssti.Engine.Stages;

/// <summary>A stage that an input takes from, as far as it is known before anything runs.</summary>
/// <param name="Stage">Its name with its cell, such as <c>evaluation@16-40</c>.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cell">Its matrix values by dimension.</param>
public sealed record InputCell(string Stage, string Uses, IReadOnlyDictionary<string, string> Cell);
