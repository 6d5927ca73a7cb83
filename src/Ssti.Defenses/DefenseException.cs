namespace Ssti.Defenses;

/// <summary>An audit or a defence cannot be made for a reason the user can act on; the message says which.</summary>
public sealed class DefenseException(string message, Exception? inner = null) : Exception(message, inner);
