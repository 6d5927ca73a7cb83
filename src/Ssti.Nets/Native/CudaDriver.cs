using System.Runtime.InteropServices;
using System.Text;

namespace Ssti.Nets.Native;

/// <summary>What the NVIDIA driver says of a GPU, asked without libtorch.</summary>
/// <param name="Number">Which GPU, in the driver's order: the number in libtorch's <c>cuda:1</c>.</param>
/// <param name="Name">The device's name, such as <c>NVIDIA H200</c>.</param>
/// <param name="Major">Major compute capability.</param>
/// <param name="Minor">Minor compute capability.</param>
public sealed unsafe record CudaDriver(int Number, string Name, int Major, int Minor)
{
    private const int ComputeCapabilityMajor = 75;
    private const int ComputeCapabilityMinor = 76;

    private static string LibraryName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>What results on this device depend on, such as <c>cuda-sm90</c>.</summary>
    public string DeviceClass => $"cuda-sm{Major}{Minor}";

    /// <summary>The driver's library.</summary>
    /// <exception cref="LibTorchException">There is none.</exception>
    internal static nint Load() => NativeLibrary.TryLoad(LibraryName, out var driver) ? driver : throw new LibTorchException($"there is no NVIDIA driver ({LibraryName})");

    /// <summary>The first GPU that the driver shows; null without a driver or a GPU.</summary>
    public static CudaDriver? Find() => All() is [var first, ..] ? first : null;

    /// <summary>The GPUs that the driver shows (<c>CUDA_VISIBLE_DEVICES</c> hides some); none without a driver.</summary>
    public static IReadOnlyList<CudaDriver> All()
    {
        if (!NativeLibrary.TryLoad(LibraryName, out var driver)) return [];
        var init = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(driver, "cuInit");
        var count = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(driver, "cuDeviceGetCount");
        var get = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGet");
        var attribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGetAttribute");
        var name = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGetName");
        int all, device, major, minor;
        var buffer = stackalloc byte[256];
        if (init(0) != 0 || count(&all) != 0) return [];
        var gpus = new List<CudaDriver>();
        for (var number = 0; number < all; number++)
        {
            if (get(&device, number) != 0) break;
            if (attribute(&major, ComputeCapabilityMajor, device) != 0 || attribute(&minor, ComputeCapabilityMinor, device) != 0) break;
            if (name(buffer, 256, device) != 0) break;
            var text = new ReadOnlySpan<byte>(buffer, 256);
            gpus.Add(new CudaDriver(number, Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]), major, minor));
        }

        return gpus;
    }

    /// <summary>
    /// Makes a GPU the calling thread's own: what libtorch does on "the current device" there, such as seeding a generator, it does on this one.
    /// </summary>
    /// <remarks>
    /// TorchSharp has no way to choose the device. The runtime takes for current the device whose primary context is (CUDA Runtime API, interactions with the
    /// driver API), and libtorch asks the runtime.
    /// </remarks>
    /// <exception cref="LibTorchException">The driver shows no such GPU, or cannot use it.</exception>
    public static void Use(int number)
    {
        if (!NativeLibrary.TryLoad(LibraryName, out var driver)) throw new LibTorchException($"GPU {number} cannot be used: there is no NVIDIA driver ({LibraryName})");
        var device = 0;
        nint context = 0;
        var error = ((delegate* unmanaged<uint, int>)NativeLibrary.GetExport(driver, "cuInit"))(0);
        if (error == 0) error = ((delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGet"))(&device, number);
        // Retained once more each time, and never released: it lives as long as the process, as libtorch's own does.
        if (error == 0) error = ((delegate* unmanaged<nint*, int, int>)NativeLibrary.GetExport(driver, "cuDevicePrimaryCtxRetain"))(&context, device);
        if (error == 0) error = ((delegate* unmanaged<nint, int>)NativeLibrary.GetExport(driver, "cuCtxSetCurrent"))(context);
        if (error != 0) throw new LibTorchException($"GPU {number} cannot be used: the NVIDIA driver answers with error {error}; see 'nvidia-smi'");
    }

    /// <summary>
    /// Bytes in use on the GPU, by every process. To be asked on a thread that has computed on it: the driver answers for the thread's context;
    /// null where there is none.
    /// </summary>
    public long? UsedMemory() => Memory() is (var free, var total) ? total - free : null;

    /// <summary>Bytes that are free on the GPU; asked as <see cref="UsedMemory"/>.</summary>
    public long? FreeMemory() => Memory()?.Free;

    private static (long Free, long Total)? Memory()
    {
        if (!NativeLibrary.TryLoad(LibraryName, out var driver) || !NativeLibrary.TryGetExport(driver, "cuMemGetInfo_v2", out var export)) return null;
        nuint free, total;
        return ((delegate* unmanaged<nuint*, nuint*, int>)export)(&free, &total) == 0 ? ((long)free, (long)total) : null;
    }
}
