namespace Ssti.Training;

/// <summary>Training or evaluation cannot be done as asked. The message says what to do about it.</summary>
public sealed class TrainingException(string message, Exception? inner = null) : Exception(message, inner);
