using System.CommandLine;

namespace Ssti.Cli.Commands;

/// <summary><c>--per-gpu</c>: how many stages are at work on a GPU at once.</summary>
internal static class PerGpuOption
{
    // More would have room on no card, and a wrong number is to be told at once.
    private const int Most = 64;

    public static Option<int?> Create() => WholeNumber.Option("--per-gpu", null, 1,
        "How many stages share a GPU at once, so that one computes while another reads and writes; no key and no byte depends on it "
        + "(default: 1).",
        Most);
}
