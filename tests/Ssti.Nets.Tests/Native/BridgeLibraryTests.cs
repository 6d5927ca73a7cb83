using System.Buffers.Binary;
using Ssti.Nets.Native;

namespace Ssti.Nets.Tests.Native;

public sealed class BridgeLibraryTests : IDisposable
{
    private const string NeverCalled = "_ZSt21ios_base_library_initv";
    private readonly string _cache = Directory.CreateTempSubdirectory("ssti bridge ").FullName;
    private readonly string _path = LibTorch.Locate().Bridge!;

    private byte[] Original => File.ReadAllBytes(_path);

    public void Dispose() => Directory.Delete(_cache, recursive: true);

    [Fact]
    public void The_bridge_asks_for_a_recent_libstdcxx_because_of_one_symbol_only()
    {
        var need = Assert.Single(new ElfVersionNeeds(Original, _path).Needs, n => n.Version == "GLIBCXX_3.4.32");

        Assert.Equal("libstdc++.so.6", need.Library);
        Assert.Equal([NeverCalled], need.Symbols);
        Assert.False(need.IsWeak);
    }

    [Fact]
    public void On_a_system_that_has_every_version_the_file_loads_as_it_is() =>
        Assert.Empty(BridgeLibrary.MissingVersions(Original, _path, (_, _) => true));

    [Fact]
    public void A_system_that_cannot_tell_gets_the_file_as_it_is() =>
        Assert.Empty(BridgeLibrary.MissingVersions(Original, _path, (_, _) => null));

    [Fact]
    public void The_copy_differs_from_the_original_in_the_flag_of_one_version()
    {
        var original = Original;
        var missing = BridgeLibrary.MissingVersions(original, _path, (symbol, _) => symbol != NeverCalled);
        var copy = File.ReadAllBytes(BridgeLibrary.WriteCopy(original, _path, missing, _cache));

        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != copy[i]).ToList();
        Assert.Equal([missing[0].FlagsOffset], changed);
        Assert.True(new ElfVersionNeeds(copy, "copy").Needs.Single(n => n.Version == "GLIBCXX_3.4.32").IsWeak);
        Assert.Empty(BridgeLibrary.MissingVersions(copy, "copy", (symbol, _) => symbol != NeverCalled));
    }

    [Fact]
    public void A_system_without_a_symbol_that_is_used_is_refused_with_its_version()
    {
        var error = Assert.Throws<LibTorchException>(() => BridgeLibrary.MissingVersions(Original, _path, (_, version) => version != "GLIBCXX_3.4.29"));

        Assert.Contains("GLIBCXX_3.4.29", error.Message);
        Assert.Contains("Install a newer libstdc++", error.Message);
    }

    [Fact]
    public async Task Many_writers_at_once_leave_one_whole_copy()
    {
        var original = Original;
        var missing = BridgeLibrary.MissingVersions(original, _path, (symbol, _) => symbol != NeverCalled);
        var expected = ElfVersionNeeds.Weaken(original, missing);

        var paths = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => BridgeLibrary.WriteCopy(original, _path, missing, _cache))));

        var path = Assert.Single(paths.Distinct());
        Assert.Equal(expected, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_cache, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_damaged_copy_is_written_again()
    {
        var original = Original;
        var missing = BridgeLibrary.MissingVersions(original, _path, (symbol, _) => symbol != NeverCalled);
        var path = BridgeLibrary.WriteCopy(original, _path, missing, _cache);
        File.WriteAllBytes(path, original[..1000]);

        BridgeLibrary.WriteCopy(original, _path, missing, _cache);

        Assert.Equal(original.Length, new FileInfo(path).Length);
    }

    [Fact]
    public void A_cache_folder_that_cannot_be_written_is_named_with_its_cure()
    {
        var original = Original;
        var file = Path.Combine(_cache, "file");
        File.WriteAllText(file, "");
        var missing = BridgeLibrary.MissingVersions(original, _path, (symbol, _) => symbol != NeverCalled);

        var error = Assert.Throws<LibTorchException>(() => BridgeLibrary.WriteCopy(original, _path, missing, file));

        Assert.Contains("SSTI_CACHE", error.Message);
    }

    [Fact]
    public void Files_that_are_no_library_or_are_cut_short_are_named()
    {
        var original = Original;
        var wild = original.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(wild.AsSpan(40), ulong.MaxValue);
        foreach (var bytes in (byte[][])[[], new byte[200], original[..100], original[..(original.Length / 2)], wild])
        {
            var error = Assert.Throws<LibTorchException>(() => new ElfVersionNeeds(bytes, "lib.so"));
            Assert.StartsWith("cannot read 'lib.so'", error.Message);
        }
    }
}
