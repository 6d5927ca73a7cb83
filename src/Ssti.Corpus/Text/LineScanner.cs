namespace Ssti.Corpus.Text;

/// <summary>
/// Cuts a stream into lines of bytes at LF (a CR before it is dropped) and at nothing else: Latin-1 files hold 0x85, which
/// decodes to a line break in Unicode's eyes but is an ellipsis in the file. A UTF-8 byte-order mark at the start is skipped.
/// Memory is that of the longest line.
/// </summary>
internal sealed class LineScanner(Stream stream) : IDisposable
{
    private byte[] _buffer = new byte[1 << 18];
    private int _start;
    private int _end;
    private bool _ended;
    private bool _begun;

    /// <summary>The number of the line read last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Where in the stream the line read last begins, in bytes.</summary>
    public long Offset { get; private set; }

    private long _consumed;

    /// <summary>The next line without its ending, valid until the next call; false at the end. A final line needs no LF.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        if (!_begun) SkipMark();
        var searched = 0;
        while (true)
        {
            var at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = Take(searched + at, 1);
                return true;
            }

            searched = _end - _start;
            if (_ended)
            {
                line = default;
                if (searched == 0) return false;
                line = Take(searched, 0);
                return true;
            }

            Fill();
        }
    }

    private ReadOnlyMemory<byte> Take(int length, int ending)
    {
        var line = _buffer.AsMemory(_start, length);
        Offset = _consumed;
        _consumed += length + ending;
        _start += length + ending;
        Line++;
        return line.Span is [.., (byte)'\r'] ? line[..^1] : line;
    }

    private void SkipMark()
    {
        _begun = true;
        // No further than it may still be a mark: whoever typed a short line waits for its answer.
        while (_end < 3 && !_ended && "\uFEFF"u8.StartsWith(_buffer.AsSpan(0, _end))) Fill();
        if (!_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8)) return;
        _start = 3;
        _consumed = 3;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        _ended = read == 0;
    }

    public void Dispose() => stream.Dispose();
}
