using System.Runtime.InteropServices;
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
        Assert.True(LibTorch.IsLoaded);
        using var scope = torch.NewDisposeScope();
        Assert.Equal(32.0, torch.ones(4, 8).sum().item<float>());
        Assert.Equal(2, torch.get_num_threads());
    }

    [Fact]
    public void The_native_environment_holds_the_pinned_path()
    {
        LibTorch.Ensure();

        // Read through the C library: .NET's own copy of the environment would prove nothing.
        var expected = LibTorch.CpuDeviceClass().StartsWith("cpu-avx2-", StringComparison.Ordinal) ? "avx2" : "default";
        Assert.Equal(expected, NativeVariable("ATEN_CPU_CAPABILITY"));
        Assert.Equal("2", NativeVariable("OMP_NUM_THREADS"));
    }

    [Fact]
    public void Loading_again_with_the_same_options_is_free_and_with_others_refused()
    {
        var first = LibTorch.Ensure();

        Assert.Same(first, LibTorch.Ensure(new LibTorchOptions()));
        var error = Assert.Throws<LibTorchException>(() => LibTorch.Ensure(new LibTorchOptions { Threads = 7 }));
        Assert.Contains("one set of options", error.Message);
    }

    [Fact]
    public void A_folder_without_libtorch_is_named_with_what_to_set()
    {
        var location = LibTorch.Locate(new LibTorchOptions { Directory = AppContext.BaseDirectory + "nowhere" });

        Assert.False(location.IsComplete);
        Assert.Contains("nowhere", location.Problem);
        Assert.Contains("torch/lib", location.Problem);
    }

    [Fact]
    public void An_installed_PyTorch_tells_its_version_and_whether_it_has_CUDA()
    {
        var root = Directory.CreateTempSubdirectory("torch ");
        try
        {
            var lib = root.CreateSubdirectory("lib").FullName;
            File.WriteAllText(Path.Combine(root.FullName, "version.py"), "from typing import Optional\n__version__ = '2.11.0+cu130'\ndebug = False\n");
            File.WriteAllText(Path.Combine(lib, "libtorch_cpu.so"), "");
            File.WriteAllText(Path.Combine(lib, "libtorch_cuda.so"), "");

            var location = LibTorch.Locate(new LibTorchOptions { Directory = lib });

            Assert.Equal(("2.11.0+cu130", true, false), (location.Version, location.HasCuda, location.IsBuiltIn));
            Assert.Null(location.Problem);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public void How_many_threads_another_thread_asks_for_is_not_this_thread_s_concern()
    {
        Assert.Equal(1, OnAThread(() =>
        {
            LibTorch.UseThreads(1);
            Assert.Equal(2, OnAThread(() =>
            {
                LibTorch.UseThreads(2);
                return torch.get_num_threads();
            }));
            return torch.get_num_threads();
        }));
    }

    private static int OnAThread(Func<int> work)
    {
        var result = 0;
        var thread = new Thread(() => result = work());
        thread.Start();
        thread.Join();
        return result;
    }

    private static unsafe string? NativeVariable(string name)
    {
        var getenv = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "getenv");
        var bytes = Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            return Marshal.PtrToStringUTF8(getenv(bytes));
        }
        finally
        {
            Marshal.FreeCoTaskMem(bytes);
        }
    }
}
