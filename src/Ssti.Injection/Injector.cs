using Ssti.Injection.Words;

namespace Ssti.Injection;

/// <summary>
/// Injects tokens into texts, one after the other, as the modifiers of the spurious_corr library do: with
/// <see cref="RandomStreams.Sequential"/> and <see cref="WhitespaceHandling.Rejoined"/>, character for character.
/// Not safe for several threads. Memory is that of the longest text.
/// </summary>
/// <remarks>
/// A text is split on whitespace (Python's <c>str.split()</c>); k = max(1, int(words · share)) tokens are drawn, then their positions: a
/// block in front, a block behind, or one insert each at randint(0, length) of the growing list. Several steps work in turn, each on what
/// the one before it left.
/// </remarks>
public sealed class Injector
{
    private readonly InjectionStep[] _steps;
    private readonly RandomStreams _streams;
    private readonly CharBuffer[] _buffers = [new(), new()];
    private readonly Trace _trace = new();

    /// <summary>Starts at the head of the random streams.</summary>
    /// <param name="steps">The steps, in order.</param>
    /// <param name="whitespace">What becomes of whitespace.</param>
    /// <param name="streams">Which random numbers a text takes.</param>
    /// <exception cref="InjectionException">The steps contradict themselves.</exception>
    public Injector(
        IReadOnlyList<InjectionStepOptions> steps,
        WhitespaceHandling whitespace = WhitespaceHandling.Rejoined,
        RandomStreams streams = RandomStreams.Sequential)
    {
        if (steps.Count == 0) throw new InjectionException("there is nothing to inject: give at least one step");
        if (streams == RandomStreams.PerRow && steps.Any(step => !step.Replacement))
            throw new InjectionException("per-row streams cannot draw without replacement, which makes a row's tokens depend on other rows: use sequential streams");
        _steps = [.. steps.Select((step, i) => new InjectionStep(step, i, whitespace))];
        _streams = streams;
    }

    /// <summary>The text with tokens injected.</summary>
    /// <param name="text">The text.</param>
    /// <param name="rowId">The row's id; needed for per-row streams.</param>
    /// <param name="injected">Cleared and filled with the tokens, in the order of the resulting text, when given.</param>
    /// <returns>The resulting text, valid until the next call.</returns>
    /// <exception cref="InjectionException">A source without replacement has no token left.</exception>
    public ReadOnlySpan<char> Apply(ReadOnlySpan<char> text, string? rowId = null, List<InjectedToken>? injected = null)
    {
        var trace = injected is null ? null : _trace;
        trace?.Start();
        var result = text;
        for (var i = 0; i < _steps.Length; i++)
        {
            if (_streams == RandomStreams.PerRow)
                _steps[i].StartRow(rowId ?? throw new ArgumentNullException(nameof(rowId), "per-row streams need the row's id"));
            trace?.StartStep(i);
            _steps[i].Apply(result, _buffers[i & 1], trace);
            trace?.EndStep();
            result = _buffers[i & 1].Written;
        }

        if (injected is null) return result;
        injected.Clear();
        _trace.Write(result, injected);
        return result;
    }
}
