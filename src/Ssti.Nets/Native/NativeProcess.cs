using System.Runtime.InteropServices;

namespace Ssti.Nets.Native;

/// <summary>Calls into the C library of this process that .NET has no door to.</summary>
internal static unsafe class NativeProcess
{
    private const int MallocTrimThreshold = -1;
    private const int MallocMmapThreshold = -3;

    private static readonly nint Self = NativeLibrary.GetMainProgramHandle();

    /// <summary>
    /// Sets a variable in the native environment. .NET keeps a copy of its own, so Environment.SetEnvironmentVariable would never be seen
    /// by MKL, OpenMP or libtorch.
    /// </summary>
    public static void SetEnvironment(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        if (OperatingSystem.IsWindows()) return;
        var setenv = (delegate* unmanaged<byte*, byte*, int, int>)NativeLibrary.GetExport(Self, "setenv");
        var nameBytes = Marshal.StringToCoTaskMemUTF8(name);
        var valueBytes = Marshal.StringToCoTaskMemUTF8(value);
        try
        {
            if (setenv((byte*)nameBytes, (byte*)valueBytes, 1) != 0) throw new LibTorchException($"cannot set {name} in the process environment");
        }
        finally
        {
            Marshal.FreeCoTaskMem(nameBytes);
            Marshal.FreeCoTaskMem(valueBytes);
        }
    }

    /// <summary>
    /// Lets the C allocator keep large blocks instead of handing each back to the kernel: a training step asks for the same sizes again and
    /// again, and fresh pages cost more than the arithmetic done on them. A no-op where the allocator is not glibc's.
    /// </summary>
    public static void KeepLargeBlocks()
    {
        if (!NativeLibrary.TryGetExport(Self, "mallopt", out var address)) return;
        var mallopt = (delegate* unmanaged<int, int, int>)address;
        mallopt(MallocMmapThreshold, 1 << 30);
        mallopt(MallocTrimThreshold, int.MaxValue);
    }

    /// <summary>Whether a loaded library has a symbol in a given version; null where the C library cannot tell (not glibc).</summary>
    public static bool? HasVersionedSymbol(nint library, string symbol, string version)
    {
        if (!NativeLibrary.TryGetExport(Self, "dlvsym", out var address)) return null;
        var dlvsym = (delegate* unmanaged<nint, byte*, byte*, nint>)address;
        var symbolBytes = Marshal.StringToCoTaskMemUTF8(symbol);
        var versionBytes = Marshal.StringToCoTaskMemUTF8(version);
        try
        {
            return dlvsym(library, (byte*)symbolBytes, (byte*)versionBytes) != 0;
        }
        finally
        {
            Marshal.FreeCoTaskMem(symbolBytes);
            Marshal.FreeCoTaskMem(versionBytes);
        }
    }
}
