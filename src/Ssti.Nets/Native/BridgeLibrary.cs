using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Ssti.Nets.Native;

/// <summary>
/// TorchSharp's native library (the bridge) on systems whose libstdc++ is older than the one it was built with.
/// </summary>
/// <remarks>
/// The bridge asks for GLIBCXX_3.4.32 because of one symbol that the compiler mentions but nothing calls. Debian 12, Ubuntu 22.04 and RHEL 9 stop
/// at 3.4.30, and the loader refuses the file. Marking that one version as weak in a copy of the file makes it load; the package's own file
/// is never touched.
/// </remarks>
internal static class BridgeLibrary
{
    private const string StandardLibrary = "libstdc++.so.6";

    /// <summary>Mentioned by every object file of GCC 13 that includes iostream; nothing refers to it at run time.</summary>
    private const string NeverCalled = "_ZSt21ios_base_library_initv";

    /// <summary>The versions that this system's libstdc++ lacks and that can be done without; empty when the file loads as it is.</summary>
    /// <exception cref="LibTorchException">The system lacks something that is really used.</exception>
    public static IReadOnlyList<ElfVersionNeeds.Need> MissingVersions(byte[] file, string path)
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad(StandardLibrary, out var system)) return [];
        return MissingVersions(file, path, (symbol, version) => NativeProcess.HasVersionedSymbol(system, symbol, version));
    }

    /// <summary>The same for any system, described by what it answers for a symbol and a version (null: it cannot tell).</summary>
    public static IReadOnlyList<ElfVersionNeeds.Need> MissingVersions(byte[] file, string path, Func<string, string, bool?> has)
    {
        var missing = new List<ElfVersionNeeds.Need>();
        foreach (var need in new ElfVersionNeeds(file, path).Needs)
        {
            if (need.Library != StandardLibrary || need.IsWeak) continue;
            var absent = need.Symbols.Where(symbol => has(symbol, need.Version) == false).ToList();
            if (absent.Count == 0) continue;
            if (absent.Count < need.Symbols.Count || absent.Any(symbol => symbol != NeverCalled))
                throw new LibTorchException(
                    $"'{path}' needs {need.Version} of {StandardLibrary} ({absent[0]}), which this system lacks. "
                    + "Install a newer libstdc++ (Debian 12, Ubuntu 22.04, RHEL 9 and later have one that is new enough).");
            missing.Add(need);
        }

        return missing;
    }

    /// <summary>The file to load: the package's own, or an adapted copy in a cache folder.</summary>
    public static string Prepare(string path, string cacheFolder)
    {
        var file = File.ReadAllBytes(path);
        var missing = MissingVersions(file, path);
        return missing.Count == 0 ? path : WriteCopy(file, path, missing, cacheFolder);
    }

    /// <summary>
    /// Writes the adapted copy under the digest of the original. Safe for several processes at once: each writes a file of its own and renames
    /// it into place, and all of them have the same bytes.
    /// </summary>
    public static string WriteCopy(byte[] file, string path, IReadOnlyList<ElfVersionNeeds.Need> missing, string cacheFolder)
    {
        var adapted = ElfVersionNeeds.Weaken(file, missing);
        var digest = Convert.ToHexStringLower(SHA256.HashData(file));
        var target = Path.Combine(cacheFolder, digest, Path.GetFileName(path));
        if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(adapted)) return target;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            var temporary = $"{target}.{Guid.NewGuid():n}";
            File.WriteAllBytes(temporary, adapted);
            File.Move(temporary, target, overwrite: true);
            return target;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LibTorchException(
                $"cannot write '{target}' ({e.Message}). It is a copy of TorchSharp's library made to load on this system. "
                + "Set SSTI_CACHE to a folder that can be written.", e);
        }
    }
}
