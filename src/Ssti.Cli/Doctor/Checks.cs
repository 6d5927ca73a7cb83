using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Nets.Native;

namespace Ssti.Cli.Doctor;

/// <summary>Looks at everything outside the program that a run depends on, and says what to do where it falls short.</summary>
internal static class Checks
{
    private const long Gigabyte = 1L << 30;

    public static async Task<IReadOnlyList<Check>> AllAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        Check?[] checks =
        [
            Runtime(), Processor(), Memory(), LibTorchFiles(), Gpu(), .. await StoreChecks.AllAsync(host, parsed, cancellation),
            await HubAsync(host.Environment, cancellation), HubCache(host.Environment),
        ];
        return [.. checks.OfType<Check>()];
    }

    private static Check Runtime() =>
        new(".net", CheckState.Ok, $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.OSDescription}");

    private static Check Processor()
    {
        var device = LibTorch.CpuDeviceClass();
        var finding = $"{Environment.ProcessorCount} cores, {device}";
        return device.StartsWith("cpu-avx2", StringComparison.Ordinal)
            ? new("processor", CheckState.Ok, finding)
            : new("processor", CheckState.Warning, finding,
                "without AVX2 training is slow and its numbers have keys of their own: they cannot be shared with machines that have it");
    }

    private static Check Memory()
    {
        var bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return bytes >= 4 * Gigabyte
            ? new("memory", CheckState.Ok, $"{Gigabytes(bytes)} for this process")
            : new("memory", CheckState.Warning, $"{Gigabytes(bytes)} for this process", "with less than 4 GB run one stage at a time: -j 1");
    }

    private static Check LibTorchFiles()
    {
        var found = LibTorch.Locate();
        if (found.Problem is { } problem) return new("libtorch", CheckState.Failed, "cannot be used", problem);
        try
        {
            LibTorch.Ensure();
            Multiply();
        }
        catch (Exception error) when (error is LibTorchException or DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            var reason = (error.InnerException ?? error).Message.ReplaceLineEndings(" ");
            return new("libtorch", CheckState.Failed, $"{found.Version} in {found.Directory} does not load",
                $"{reason} Set {LibTorch.DirectoryVariable} to the torch/lib folder of an installed PyTorch, or unset it to use the built-in one");
        }

        var patched = found.BridgeNeedsPatch ? "; adapted to this system's older libstdc++" : "";
        return new("libtorch", CheckState.Ok, $"{found.Version}{(found.IsBuiltIn ? ", built in" : $", {found.Directory}")}{patched}; loads and computes");
    }

    // Apart, so that TorchSharp is not touched before libtorch is loaded.
    private static void Multiply()
    {
        using var ones = TorchSharp.torch.ones(2, 2);
        using var product = ones.mm(ones);
        using var sum = product.sum();
        if (sum.item<float>() != 8) throw new LibTorchException("a matrix product came out wrong.");
    }

    private static Check Gpu()
    {
        var found = LibTorch.Locate();
        return CudaDriver.Find() switch
        {
            null => new("gpu", CheckState.Ok, "none that the NVIDIA driver shows; the CPU computes"),
            { } gpu when found.HasCuda => new("gpu", CheckState.Ok, $"{gpu.Name}, {gpu.DeviceClass}"),
            { } gpu => new("gpu", CheckState.Warning, $"{gpu.Name}, but this libtorch has no CUDA: the CPU computes",
                $"set {LibTorch.DirectoryVariable} to the torch/lib folder of a PyTorch with CUDA, or build with -p:LibTorch=cuda"),
        };
    }

    /// <summary>Whether the Hub answers; pipelines on local data need it not.</summary>
    internal static async Task<Check> HubAsync(Func<string, string?> environment, CancellationToken cancellation)
    {
        HubOptions options;
        try
        {
            options = HubOptions.FromEnvironment(environment, HubOptions.Home);
        }
        catch (CorpusException error)
        {
            return new("hub", CheckState.Failed, error.Message, "correct or unset HF_ENDPOINT");
        }

        var account = options.Token is null ? "no token" : $"with the token of {options.TokenOrigin}";
        if (options.Offline) return new("hub", CheckState.Ok, $"offline, as HF_HUB_OFFLINE asks; cache: {options.CacheFolder}");
        try
        {
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var request = new HttpRequestMessage(HttpMethod.Head, options.Endpoint);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            return new("hub", CheckState.Ok, $"{options.Endpoint} answers, {account}; cache: {options.CacheFolder}");
        }
        catch (Exception error) when (error is HttpRequestException || (error is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            return new("hub", CheckState.Warning, $"{options.Endpoint} cannot be reached",
                "local data need no hub (the quickstart neither): override a source with --set <stage>.source=<path>, name a mirror in HF_ENDPOINT, "
                + "or set HF_HUB_OFFLINE=1 to use what is cached");
        }
    }

    /// <summary>Whether what the Hub gives can be kept.</summary>
    internal static Check? HubCache(Func<string, string?> environment)
    {
        try
        {
            var folder = HubOptions.FromEnvironment(environment, HubOptions.Home).CacheFolder;
            return StoreChecks.Folder("hub cache", folder, "name another folder with SSTI_CACHE, or make it writable: downloads are kept there", warnOnly: true);
        }
        catch (CorpusException)
        {
            // Told of the hub itself.
            return null;
        }
    }

    internal static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gigabyte:0.0} GB");
}
