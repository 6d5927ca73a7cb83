namespace Ssti.Nets.Safetensors;

/// <summary>A safetensors file is damaged, or holds what is not known here. Names the file and the tensor.</summary>
public sealed class SafetensorsException(string message, Exception? inner = null) : Exception(message, inner);
