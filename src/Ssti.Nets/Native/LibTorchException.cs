namespace Ssti.Nets.Native;

/// <summary>libtorch cannot be found, loaded or used as asked. The message says what to do about it.</summary>
public sealed class LibTorchException : Exception
{
    /// <summary>A failure with its cure.</summary>
    public LibTorchException(string message) : base(message)
    {
    }

    /// <summary>A failure with its cure and the loader's own words.</summary>
    public LibTorchException(string message, Exception inner) : base(message, inner)
    {
    }
}
