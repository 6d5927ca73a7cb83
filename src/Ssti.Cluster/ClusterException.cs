namespace Ssti.Cluster;

/// <summary>A cluster cannot be reached or used. The message is for the user, and says what to do.</summary>
/// <param name="message">What is wrong and what to do.</param>
/// <param name="inner">What was caught.</param>
public sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
