using System.Runtime.ExceptionServices;
using Ssti.Nets.Native;
using TorchSharp;

namespace Ssti.Training.Pretraining;

/// <summary>
/// Works on the parts of an update side by side: part 0 on the calling thread, each other on a thread of its own, and each with one compute thread.
/// </summary>
/// <remarks>
/// A small model's products are too small to share: two threads at one of them wait for each other more than they save, and two at a part each do not wait.
/// </remarks>
internal sealed class PartThreads : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _begun;
    private readonly CountdownEvent _ended;
    private readonly Exception?[] _errors;
    private readonly int _threadsBefore;
    private Action<int> _work = _ => { };
    private volatile bool _over;

    /// <summary>Starts the threads; the calling thread keeps to one compute thread until the end.</summary>
    public PartThreads(int parts)
    {
        (Count, _errors, _ended) = (parts, new Exception?[parts], new CountdownEvent(Math.Max(1, parts - 1)));
        _threadsBefore = torch.get_num_threads();
        if (parts > 1) LibTorch.UseThreads(1);
        _begun = [.. Enumerable.Range(1, parts - 1).Select(_ => new SemaphoreSlim(0))];
        _threads = [.. Enumerable.Range(1, parts - 1).Select(part => new Thread(() => Serve(part)) { IsBackground = true, Name = $"part {part}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>How many parts.</summary>
    public int Count { get; }

    /// <summary>Does the work of every part, by its number; returns when all is done. The first part's error is thrown.</summary>
    public void Run(Action<int> work)
    {
        _work = work;
        _ended.Reset();
        foreach (var begun in _begun) begun.Release();
        Do(0);
        if (Count > 1) _ended.Wait();
        if (Array.Find(_errors, error => error is not null) is not { } first) return;
        Array.Clear(_errors);
        ExceptionDispatchInfo.Throw(first);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _over = true;
        foreach (var begun in _begun) begun.Release();
        foreach (var thread in _threads) thread.Join();
        foreach (var begun in _begun) begun.Dispose();
        _ended.Dispose();
        if (Count > 1) LibTorch.UseThreads(_threadsBefore);
    }

    private void Serve(int part)
    {
        LibTorch.UseThreads(1);
        while (true)
        {
            _begun[part - 1].Wait();
            if (_over) return;
            Do(part);
            _ended.Signal();
        }
    }

    private void Do(int part)
    {
        try
        {
            _work(part);
        }
        catch (Exception e)
        {
            _errors[part] = e;
        }
    }
}
