using System.Runtime.InteropServices;
using System.Text;

namespace Ssti.Nets.Native;

/// <summary>Kernels compiled from CUDA C++ by NVRTC, which comes with every PyTorch for CUDA, and launched on libtorch's stream by the driver.</summary>
internal sealed unsafe class CudaModule
{
    private const int Block = 256;

    // libtorch's own door to NVRTC: it knows where that is, wherever PyTorch was installed.
    private const string Door = "libcaffe2_nvrtc.so";

    private readonly Dictionary<string, nint> _functions = [];
    private readonly nint _module;
    private readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> _launch;

    private CudaModule(nint driver, nint module)
    {
        _module = module;
        _launch = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)NativeLibrary.GetExport(driver, "cuLaunchKernel");
    }

    /// <summary>Compiles a source for the calling thread's GPU. It lives as long as the process.</summary>
    /// <param name="source">CUDA C++ without includes; kernels are <c>extern "C"</c>.</param>
    /// <param name="architecture">Such as <c>sm_90</c>.</param>
    /// <param name="defines">What is defined.</param>
    /// <exception cref="LibTorchException">NVRTC is not there, or refuses.</exception>
    public static CudaModule Compile(string source, string architecture, params (string Name, int Value)[] defines)
    {
        var binary = Binary(source, [$"--gpu-architecture={architecture}", .. defines.Select(define => $"-D{define.Name}={define.Value}")]);
        var driver = CudaDriver.Load();
        nint module;
        fixed (byte* image = binary)
        {
            Require(((delegate* unmanaged<nint*, byte*, int>)NativeLibrary.GetExport(driver, "cuModuleLoadData"))(&module, image), "load the kernels");
        }

        return new CudaModule(driver, module);
    }

    /// <summary>Launches a kernel of one argument, in blocks of 256 threads.</summary>
    public void Launch<T>(string kernel, long threads, in T arguments)
        where T : unmanaged
    {
        fixed (T* pointer = &arguments)
        {
            void* argument = pointer;
            var blocks = checked((uint)((threads + Block - 1) / Block));
            Require(_launch(Function(kernel), blocks, 1, 1, Block, 1, 1, 0, 0, &argument, null), $"launch '{kernel}'");
        }
    }

    private nint Function(string kernel)
    {
        lock (_functions)
        {
            if (_functions.TryGetValue(kernel, out var known)) return known;
            nint function;
            fixed (byte* name = Encoding.UTF8.GetBytes(kernel + '\0'))
            {
                var find = (delegate* unmanaged<nint*, nint, byte*, int>)NativeLibrary.GetExport(CudaDriver.Load(), "cuModuleGetFunction");
                Require(find(&function, _module, name), $"find '{kernel}'");
            }

            return _functions[kernel] = function;
        }
    }

    private static void Require(int error, string what)
    {
        if (error != 0) throw new LibTorchException($"cannot {what}: the NVIDIA driver answers with error {error}");
    }

    private static byte[] Binary(string source, string[] options)
    {
        var path = Path.Combine(LibTorch.Loaded!.Directory!, Door);
        if (!NativeLibrary.TryLoad(path, out var nvrtc))
            throw new LibTorchException($"bf16 on CUDA needs NVRTC, and '{path}' does not load it: install the whole of PyTorch, or set 'dtype: fp32' under 'compute'");
        var create = (delegate* unmanaged<nint*, byte*, byte*, int, nint, nint, int>)NativeLibrary.GetExport(nvrtc, "nvrtcCreateProgram");
        var compile = (delegate* unmanaged<nint, int, byte**, int>)NativeLibrary.GetExport(nvrtc, "nvrtcCompileProgram");
        var destroy = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(nvrtc, "nvrtcDestroyProgram");
        nint program = 0;
        var arguments = new byte*[options.Length];
        try
        {
            fixed (byte* text = Encoding.UTF8.GetBytes(source + '\0'), name = "kernels.cu\0"u8)
            fixed (byte** all = arguments)
            {
                for (var i = 0; i < options.Length; i++) all[i] = (byte*)Marshal.StringToCoTaskMemUTF8(options[i]);
                var error = create(&program, text, name, 0, 0, 0);
                if (error == 0) error = compile(program, options.Length, all);
                if (error != 0)
                {
                    var log = program == 0 ? "" : Encoding.UTF8.GetString(Output(nvrtc, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog")).Trim('\0', '\n', ' ');
                    throw new LibTorchException($"NVRTC of '{path}' cannot compile for {options[0]} (error {error}): {log}");
                }
            }

            return Output(nvrtc, program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
        }
        finally
        {
            foreach (var argument in arguments) Marshal.FreeCoTaskMem((nint)argument);
            if (program != 0) destroy(&program);
        }
    }

    private static byte[] Output(nint nvrtc, nint program, string size, string get)
    {
        nuint length;
        if (((delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(nvrtc, size))(program, &length) != 0) throw new LibTorchException($"NVRTC refuses {size}");
        var output = new byte[length];
        fixed (byte* into = output)
        {
            if (((delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(nvrtc, get))(program, into) != 0) throw new LibTorchException($"NVRTC refuses {get}");
        }

        return output;
    }
}
