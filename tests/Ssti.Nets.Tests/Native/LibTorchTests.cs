using Ssti.Nets.Native;
using TorchSharp;

namespace Ssti.Nets.Tests.Native;

public sealed class LibTorchTests
{
    [Fact]
    public void Tensors_work_after_loading_on_this_system()
    {
        var location = LibTorch.Ensure();

        Assert.Null(location.Problem);
        Assert.Equal("2.10.0", location.Version);
        using var scope = torch.NewDisposeScope();
        Assert.Equal(32.0, torch.ones(4, 8).sum().item<float>());
        Assert.Equal(2, torch.get_num_threads());
    }
}
