using System.Runtime.InteropServices;
using System.Text;

namespace Ssti.Nets.Native;

/// <summary>What the NVIDIA driver says of the first GPU, asked without libtorch.</summary>
/// <param name="Name">The device's name, such as <c>NVIDIA H200</c>.</param>
/// <param name="Major">Major compute capability.</param>
/// <param name="Minor">Minor compute capability.</param>
public sealed unsafe record CudaDriver(string Name, int Major, int Minor)
{
    private const int ComputeCapabilityMajor = 75;
    private const int ComputeCapabilityMinor = 76;

    private static string LibraryName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>What results on this device depend on, such as <c>cuda-sm90</c>.</summary>
    public string DeviceClass => $"cuda-sm{Major}{Minor}";

    /// <summary>The first GPU that the driver shows; null without a driver or a GPU.</summary>
    public static CudaDriver? Find()
    {
        if (!NativeLibrary.TryLoad(LibraryName, out var driver)) return null;
        var init = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(driver, "cuInit");
        var get = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGet");
        var attribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGetAttribute");
        var name = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGetName");
        int device, major, minor;
        var buffer = stackalloc byte[256];
        if (init(0) != 0 || get(&device, 0) != 0) return null;
        if (attribute(&major, ComputeCapabilityMajor, device) != 0 || attribute(&minor, ComputeCapabilityMinor, device) != 0) return null;
        if (name(buffer, 256, device) != 0) return null;
        var text = new ReadOnlySpan<byte>(buffer, 256);
        return new CudaDriver(Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]), major, minor);
    }

    /// <summary>
    /// Bytes in use on the GPU, by every process. To be asked on a thread that has computed on it: the driver answers for the thread's context;
    /// null where there is none.
    /// </summary>
    public long? UsedMemory()
    {
        if (!NativeLibrary.TryLoad(LibraryName, out var driver) || !NativeLibrary.TryGetExport(driver, "cuMemGetInfo_v2", out var export)) return null;
        nuint free, total;
        return ((delegate* unmanaged<nuint*, nuint*, int>)export)(&free, &total) == 0 ? (long)(total - free) : null;
    }
}
