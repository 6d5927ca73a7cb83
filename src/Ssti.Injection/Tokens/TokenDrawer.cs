using System.Runtime.CompilerServices;
using Ssti.Injection.Randomness;

namespace Ssti.Injection.Tokens;

/// <summary>Draws tokens of a table, with or without replacement.</summary>
internal sealed class TokenDrawer
{
    private readonly int _count;
    private readonly int[]? _identities;
    private readonly bool[] _drawn = [];
    private readonly int _different;
    private int _left;

    public TokenDrawer(TokenTable table, bool replacement)
    {
        _count = table.Count;
        if (replacement) return;
        _identities = table.Identities(out _different);
        _drawn = new bool[_different];
        _left = _different;
    }

    /// <summary>The index of a token: CPython's <c>choice</c>; without replacement, redrawn until it is one not yet drawn.</summary>
    /// <exception cref="InjectionException">Every token has been drawn.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Draw(CPythonRandom random) => _identities is null ? random.NextBelow(_count) : DrawNew(random, _identities);

    private int DrawNew(CPythonRandom random, int[] identities)
    {
        if (_left == 0) throw new InjectionException($"all {_different} tokens have been used and each may be used once: give more tokens or allow replacement");
        int index;
        do index = random.NextBelow(_count);
        while (_drawn[identities[index]]);
        _drawn[identities[index]] = true;
        _left--;
        return index;
    }
}
