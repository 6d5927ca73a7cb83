namespace Ssti.Cli.Display;

/// <summary>Progress told at once, on the thread that made it: <see cref="Progress{T}"/> would tell it after the end.</summary>
internal sealed class Reporter<T>(Action<T> told) : IProgress<T>
{
    public void Report(T value) => told(value);
}
