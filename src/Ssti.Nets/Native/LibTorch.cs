using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Ssti.Nets.Native;

/// <summary>
/// The one door to libtorch: finds it, prepares the process and loads it. <see cref="Ensure"/> must run before the first use of TorchSharp.
/// </summary>
public static class LibTorch
{
    /// <summary>Names the environment variable that points to the <c>torch/lib</c> folder of an installed PyTorch.</summary>
    public const string DirectoryVariable = "SSTI_LIBTORCH";

    private static readonly Lock Gate = new();
    private static LibTorchOptions? _loadedWith;
    private static LibTorchLocation? _loaded;
    private static nint _mklThreads, _dataOf;

    /// <summary>Whether libtorch is in this process.</summary>
    public static bool IsLoaded => _loaded is not null;

    /// <summary>What is in this process; null before <see cref="Ensure"/>.</summary>
    internal static LibTorchLocation? Loaded => _loaded;

    /// <summary>
    /// Loads libtorch, once: sets the native environment (threads, pinned instruction set), loads the libraries in order and switches on
    /// deterministic algorithms. Later calls with the same options return at once.
    /// </summary>
    /// <exception cref="LibTorchException">It cannot be found or loaded, or is loaded with other options already.</exception>
    public static LibTorchLocation Ensure(LibTorchOptions? options = null)
    {
        options ??= new LibTorchOptions();
        lock (Gate)
        {
            if (_loaded is not null)
                return _loadedWith == options ? _loaded : throw new LibTorchException(
                    $"libtorch is loaded with {_loadedWith} already and cannot be loaded again with {options}; use one set of options in a process.");
            var location = Locate(options);
            if (location.Problem is { } problem) throw new LibTorchException(problem);
            PrepareEnvironment(options);
            Load(location, options);
            _loadedWith = options;
            return _loaded = location;
        }
    }

    /// <summary>Finds the native files and says what is wrong with them, without loading libtorch. Never throws for a broken installation.</summary>
    public static LibTorchLocation Locate(LibTorchOptions? options = null)
    {
        var named = options?.Directory ?? Environment.GetEnvironmentVariable(DirectoryVariable);
        var builtIn = NativeFolders().Select(f => Path.Combine(f, "libtorch")).Concat(NativeFolders())
            .FirstOrDefault(f => File.Exists(Path.Combine(f, LibraryName("torch_cpu"))));
        var isBuiltIn = named is not { Length: > 0 };
        var directory = isBuiltIn ? builtIn : Path.GetFullPath(named!);
        var bridge = NativeFolders().Select(f => Path.Combine(f, LibraryName("LibTorchSharp"))).FirstOrDefault(File.Exists);
        var hasCuda = directory is not null && File.Exists(Path.Combine(directory, LibraryName("torch_cuda")));
        var version = directory is null ? "none" : isBuiltIn ? BuiltInVersion() : InstalledVersion(directory);

        var (patch, problem) = (false, FindProblem(directory, isBuiltIn, builtIn, bridge));
        if (problem is null)
        {
            try
            {
                patch = BridgeLibrary.MissingVersions(File.ReadAllBytes(bridge!), bridge!).Count > 0;
            }
            catch (LibTorchException e)
            {
                problem = e.Message;
            }
        }

        return new LibTorchLocation(directory, bridge, version, isBuiltIn, hasCuda, patch, problem);
    }

    /// <summary>
    /// What results on the CPU depend on: <c>cpu-avx2-intel</c> or <c>cpu-avx2-amd</c> on the pinned path of a processor that has AVX2; the best the processor offers
    /// when not pinned (such as <c>cpu-avx512-intel</c>); <c>cpu-default-…</c> or <c>cpu-arm64</c> elsewhere.
    /// </summary>
    /// <remarks>
    /// The maker is a part of it: with the same settings, instruction set and threads, an Intel Xeon and an AMD EPYC trained to different last bits (libtorch 2.10, MKL),
    /// each of them always to its own.
    /// </remarks>
    public static string CpuDeviceClass(bool pinned = true) =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "cpu-arm64"
        : !HasAvx2 ? $"cpu-default-{Maker}"
        : !pinned && Avx512F.IsSupported && Avx512BW.IsSupported ? $"cpu-avx512-{Maker}"
        : $"cpu-avx2-{Maker}";

    private static bool HasAvx2 => Avx2.IsSupported && Fma.IsSupported;

    private static string Maker { get; } = X86Base.IsSupported ? MakerOf(X86Base.CpuId(0, 0)) : "unknown";

    // Leaf 0 of CPUID spells the maker in twelve letters: GenuineIntel, AuthenticAMD.
    private static string MakerOf((int Eax, int Ebx, int Ecx, int Edx) leaf)
    {
        Span<int> letters = [leaf.Ebx, leaf.Edx, leaf.Ecx];
        var name = System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(letters));
        return name switch
        {
            "GenuineIntel" => "intel",
            "AuthenticAMD" => "amd",
            _ => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant(),
        };
    }

    /// <summary>Sets how many threads the operations of the calling thread use, and of no other. Call <see cref="Ensure"/> first.</summary>
    /// <remarks>
    /// libtorch's own setting is a thread's only in part, and the count of threads changes bytes. A thread that uses libtorch for the first time takes over
    /// what any other asked for last, even if it has asked for something itself before: so it is made to use it first. And MKL is told for the whole
    /// process: its setting for the calling thread alone goes before that.
    /// </remarks>
    public static unsafe void UseThreads(int threads)
    {
        _ = TorchSharp.torch.get_num_threads();
        TorchSharp.torch.set_num_threads(threads);
        if (_mklThreads != 0) ((delegate* unmanaged<int, int>)_mklThreads)(threads);
    }

    /// <summary>Where a tensor's numbers begin, on its device. TorchSharp has it for the CPU alone.</summary>
    internal static unsafe nint DataOf(TorchSharp.torch.Tensor tensor) => ((delegate* unmanaged<nint, nint>)_dataOf)(tensor.Handle);

    private static string? FindProblem(string? directory, bool isBuiltIn, string? builtIn, string? bridge)
    {
        if (directory is null)
            return $"this build has no libtorch: set {DirectoryVariable} to the torch/lib folder of an installed PyTorch "
                   + "(python -c 'import torch; print(torch.__path__[0])' prints its parent), or build with -p:LibTorch=cpu.";
        if (!File.Exists(Path.Combine(directory, LibraryName("torch_cpu"))))
            return $"{DirectoryVariable}: '{directory}' has no {LibraryName("torch_cpu")}: name the folder torch/lib of an installed PyTorch.";
        if (bridge is null)
            return $"{LibraryName("LibTorchSharp")} is not beside the program in '{AppContext.BaseDirectory}': copy it there from the build's output.";
        if (!isBuiltIn && builtIn is not null && NativeFolders().Contains(builtIn))
            return $"{DirectoryVariable} is set, but this build brings a libtorch of its own in '{builtIn}' and the two cannot be mixed: "
                   + $"unset {DirectoryVariable}, or build with -p:LibTorch=none.";
        return null;
    }

    private static void PrepareEnvironment(LibTorchOptions options)
    {
        if (options.Threads < 1) throw new LibTorchException($"compute threads must be 1 or more, not {options.Threads}");
        NativeProcess.SetEnvironment("OMP_NUM_THREADS", options.Threads.ToString());
        NativeProcess.SetEnvironment("MKL_NUM_THREADS", options.Threads.ToString());
        // cuBLAS is deterministic only with a workspace of its own for each stream.
        NativeProcess.SetEnvironment("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        if (!options.PinInstructionSet) return;
        NativeProcess.SetEnvironment("MKL_CBWR", HasAvx2 ? "AVX2" : "COMPATIBLE");
        NativeProcess.SetEnvironment("ATEN_CPU_CAPABILITY", HasAvx2 ? "avx2" : "default");
        if (HasAvx2) NativeProcess.SetEnvironment("ONEDNN_MAX_CPU_ISA", "AVX2");
    }

    private static void Load(LibTorchLocation location, LibTorchOptions options)
    {
        // libtorch's parts find each other by name once they are in the process; in this order each finds what it needs.
        var core = default(nint);
        foreach (var part in (string[])["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"])
        {
            var path = Path.Combine(location.Directory!, LibraryName(part));
            if (!File.Exists(path)) continue;
            var handle = LoadFile(path);
            if (part == "torch_cpu") core = handle;
        }

        var bridge = OperatingSystem.IsLinux() ? BridgeLibrary.Prepare(location.Bridge!, options.CacheFolder ?? DefaultCacheFolder()) : location.Bridge!;
        var bridgeHandle = LoadFile(bridge);
        _dataOf = NativeLibrary.GetExport(bridgeHandle, "THSTensor_data");
        NativeLibrary.SetDllImportResolver(typeof(TorchSharp.torch).Assembly, (name, _, _) => name == "LibTorchSharp" ? bridgeHandle : 0);
        // Absent where libtorch computes with another library than MKL.
        NativeLibrary.TryGetExport(core, "MKL_Set_Num_Threads_Local", out _mklThreads);
        UseDeterministicAlgorithms(core);
    }

    private static nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e)
        {
            throw new LibTorchException($"cannot load '{path}': {e.Message.ReplaceLineEndings(" ")}. `ssti doctor` lists what is found and what is missing.", e);
        }
    }

    /// <summary>
    /// TorchSharp does not offer this switch; libtorch exports it under C++ names. Uninitialised memory is not filled: that serves debugging
    /// and costs a pass over every result.
    /// </summary>
    private static unsafe void UseDeterministicAlgorithms(nint core)
    {
        const string context = "_ZN2at13globalContextEv";
        const string deterministic = "_ZN2at7Context26setDeterministicAlgorithmsEbb";
        const string fill = "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb";
        if (OperatingSystem.IsWindows()) return; // not tried: other mangled names
        if (!NativeLibrary.TryGetExport(core, context, out var getContext) || !NativeLibrary.TryGetExport(core, deterministic, out var set))
            throw new LibTorchException("this libtorch does not export the switch for deterministic algorithms; use PyTorch 2.10 or 2.11.");
        var instance = ((delegate* unmanaged<nint>)getContext)();
        ((delegate* unmanaged<nint, byte, byte, void>)set)(instance, 1, 0);
        if (NativeLibrary.TryGetExport(core, fill, out var setFill)) ((delegate* unmanaged<nint, byte, void>)setFill)(instance, 0);
    }

    /// <summary>Where native files may stand: the program's folder, what the host was told, and the folders of a build without a RID.</summary>
    private static IEnumerable<string> NativeFolders()
    {
        var rid = OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";
        var told = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return told.Prepend(Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native")).Prepend(AppContext.BaseDirectory)
            .Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f))).Distinct();
    }

    private static string LibraryName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    private static string BuiltInVersion() => typeof(LibTorch).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(a => a.Key == "LibTorchVersion")?.Value ?? "unknown";

    /// <summary>An installed PyTorch says its version in torch/version.py, beside torch/lib.</summary>
    private static string InstalledVersion(string directory)
    {
        var file = Path.Combine(directory, "..", "version.py");
        if (!File.Exists(file)) return "unknown";
        var line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith("__version__", StringComparison.Ordinal));
        return line?.Split('\'', '"') is [_, var version, ..] ? version : "unknown";
    }

    private static string DefaultCacheFolder()
    {
        if (Environment.GetEnvironmentVariable("SSTI_CACHE") is { Length: > 0 } named) return Path.Combine(named, "native");
        var data = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache");
        return Path.Combine(data, "ssti", "native");
    }
}
