using System.Runtime.InteropServices;

namespace Ssti.Nets.Native;

/// <summary>Calls into the C library of this process that .NET has no door to.</summary>
internal static unsafe class NativeProcess
{
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
