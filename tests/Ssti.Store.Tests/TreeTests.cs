using System.Text;
using Ssti.Store.Files;

namespace Ssti.Store.Tests;

public sealed class TreeTests
{
    [Fact]
    public void Order_does_not_matter_and_the_form_is_fixed()
    {
        TreeFile a = new("a/b.txt", Digest.Of("1"), 1), b = new("a.txt", Digest.Of("2"), 1);

        Assert.Equal(Tree.Of([a, b]).Digest, Tree.Of([b, a]).Digest);
        Assert.Equal(
            "{\"files\":[{\"digest\":\"d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35\",\"path\":\"a.txt\",\"size\":1},"
            + "{\"digest\":\"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b\",\"path\":\"a/b.txt\",\"size\":1}],\"schema\":1}",
            Encoding.UTF8.GetString(Tree.Of([a, b]).Json.Span));
    }

    [Fact]
    public void Its_size_is_known_from_its_files()
    {
        TreeFile[] files = [
            new("a.txt", Digest.Of("1"), 0), new("ünï 数据 🧪/\"q\"\t.bin", Digest.Of("2"), 9), new("z", Digest.Of("3"), 10),
            new("\ud800", Digest.Of("4"), long.MaxValue)];

        for (var count = 0; count <= files.Length; count++)
            Assert.Equal(Tree.Of(files[..count]).Json.Length, Tree.SizeOf(files[..count]));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("")]
    [InlineData("a\\b")]
    [InlineData("C:/a")]
    public void A_path_that_could_lead_elsewhere_is_refused(string path) =>
        Assert.Throws<StoreException>(() => Tree.Of([new TreeFile(path, Digest.Of("1"), 1)]));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"schema\":2,\"files\":[]}")]
    [InlineData("{\"schema\":1,\"files\":[{\"path\":\"../x\",\"digest\":\"d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35\",\"size\":1}]}")]
    [InlineData("{\"schema\":1,\"files\":[{\"path\":\"x\",\"digest\":\"d4\",\"size\":1}]}")]
    public void What_is_no_tree_is_refused(string json) => Assert.Throws<StoreException>(() => Tree.Parse(Encoding.UTF8.GetBytes(json)));

    [SkippableFact]
    public void A_pipe_or_a_device_is_refused_at_once()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Pipes with names and devices are looked for on Linux only.");
        var folder = Directory.CreateTempSubdirectory("ssti-pipe-").FullName;
        try
        {
            var pipe = Path.Combine(folder, "train.csv");
            using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe])) made.WaitForExit();

            // Nobody writes into the pipe: whoever opens it waits for ever.
            Assert.Contains("is a pipe, a socket or a device, not a file", Assert.Throws<IOException>(() => FileHash.Of(pipe)).Message);
            Assert.Contains("is a pipe", Assert.ThrowsAny<Exception>(() => FileHash.TreeOf(folder)).ToString());
            Assert.Contains("is a pipe", Assert.Throws<IOException>(() => FileHash.Of("/dev/zero")).Message);
            var link = Path.Combine(folder, "link");
            File.CreateSymbolicLink(link, pipe);
            Assert.Contains("is a pipe", Assert.Throws<IOException>(() => FileHash.Of(link)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
