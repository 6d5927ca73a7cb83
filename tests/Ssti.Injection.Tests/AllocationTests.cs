using Ssti.Injection.Tokens;

namespace Ssti.Injection.Tests;

/// <summary>Managed bytes that the modifier allocates for a row, where times vary too much to be tested.</summary>
public sealed class AllocationTests
{
    private static readonly string[] Texts = [.. Enumerable.Range(0, 500).Select(i => string.Join(' ', Enumerable.Range(0, 20 + (i * 7 % 200)).Select(t => $"word{t % 50}")))];

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void A_row_allocates_nothing_beside_its_result(double wordShare)
    {
        var injector = new Injector([new() { Tokens = TokenTable.Dates(1900, 2100), WordShare = wordShare, Seed = 40, TokenSeed = 40 }]);
        // Buffers grow to the longest row.
        foreach (var text in Texts) injector.Apply(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var text in Texts) injector.Apply(text);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / (double)Texts.Length, 0, 16);
    }
}
