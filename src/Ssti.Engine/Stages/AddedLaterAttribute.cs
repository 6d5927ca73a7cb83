namespace Ssti.Engine.Stages;

/// <summary>
/// Marks a parameter that its kind came to have after people had stored results. It is null by default, and stands in a key only where it has a value: so what was stored
/// without it is still found.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AddedLaterAttribute : Attribute;
