namespace Ssti.Nets.Models;

/// <summary>A model cannot be built from its files, or is asked for something it cannot do. The message says what to do about it.</summary>
public sealed class ModelException(string message, Exception? inner = null) : Exception(message, inner);
