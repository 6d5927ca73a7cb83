namespace Ssti.Injection;

/// <summary>An injection cannot be done for a reason the user can act on; the message says which.</summary>
public sealed class InjectionException(string message, Exception? inner = null) : Exception(message, inner);
