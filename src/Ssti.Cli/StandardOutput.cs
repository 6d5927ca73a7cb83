using System.Runtime.InteropServices;

namespace Ssti.Cli;

/// <summary>
/// Standard output as the system has it: what is written stands behind what others wrote into the same file, and before what they write next. A FileStream on
/// descriptor 1 does not do that: into a file it writes at places that it counts by itself, and leaves the file's own place, which the shell's next command
/// begins at, where it was. .NET's own stream does, but says nothing when a pipe has no reader any more.
/// </summary>
internal sealed partial class StandardOutput : Stream
{
    private const int Descriptor = 1, Interrupted = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="IOException">It cannot be written to; its HResult is the system's error number.</exception>
    public override void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var written = write(Descriptor, in MemoryMarshal.GetReference(bytes), bytes.Length);
            if (written >= 0) bytes = bytes[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error && error != Interrupted)
                throw new IOException($"standard output cannot be written: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, ref readonly byte first, nint count);
}
