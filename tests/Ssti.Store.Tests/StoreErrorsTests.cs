using Ssti.Store.Files;

namespace Ssti.Store.Tests;

public sealed class StoreErrorsTests
{
    [SkippableFact]
    public void A_file_that_is_refused_its_whole_size_is_a_full_disk()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"), "needs /dev/shm");
        var path = Path.Combine("/dev/shm", "ssti-" + Guid.NewGuid().ToString("n"));
        // As File.WriteAllText opens a file: more than the whole of it holds is refused before a byte is written.
        var error = Assert.Throws<IOException>(() => new FileStream(
            path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = new DriveInfo("/dev/shm").TotalSize + (1 << 20) }));
        Assert.True(StoreErrors.IsFull(error), error.Message);
        Assert.Contains("is full; free some space", StoreErrors.Explain("place", error).Message);
        Assert.False(StoreErrors.IsFull(new IOException("Cannot be read.")));
        Assert.False(File.Exists(path));
    }
}
