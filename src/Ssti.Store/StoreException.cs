namespace Ssti.Store;

/// <summary>A store cannot do what was asked, for a reason the user can act on; the message says which and what to do.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
