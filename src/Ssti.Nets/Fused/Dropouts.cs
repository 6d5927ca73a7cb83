using System.Runtime.InteropServices;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>Draws the dropouts of a pass, one after the other: for the rows of each stream what it would have drawn alone.</summary>
internal sealed class Dropouts
{
    private readonly IReadOnlyList<RandomStream> _streams;
    private readonly BertConfig _config;
    private readonly double _adapter;
    private readonly Tensor? _seeds;
    private readonly int _parts;
    private readonly uint _rows;

    /// <summary>The dropouts of a pass.</summary>
    /// <param name="streams">One for each part of the batch; none for no dropouts.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="config">The encoder's dropouts.</param>
    /// <param name="adapter">The adapters' dropout.</param>
    /// <param name="tape">Keeps for the backward pass what it draws with as well; null for none.</param>
    /// <exception cref="ArgumentException">The streams are not as many, or not at one place of their steps.</exception>
    public Dropouts(IReadOnlyList<RandomStream> streams, TokenBatch batch, BertConfig config, double adapter, EncoderTape? tape)
    {
        (_streams, _config, _adapter, _parts) = (streams, config, adapter, batch.Parts.Count);
        if (streams.Count == 0) return;
        if (streams.Count != _parts) throw new ArgumentException($"{streams.Count} streams for the rows of {_parts}", nameof(streams));
        if (_parts == 1) return;
        if (streams.Any(stream => stream.Site != streams[0].Site)) throw new ArgumentException("the streams have drawn for unequally many dropouts", nameof(streams));
        _rows = (uint)(batch.Parts[0].Rows * batch.Length);
        _seeds = Seeds(batch.Ids.device);
        tape?.Keep(_seeds);
    }

    /// <summary>Of hidden states.</summary>
    public Drop Hidden() => Next(_config.HiddenDropout);

    /// <summary>Of what an adapter reads.</summary>
    public Drop Lora() => Next(_adapter);

    /// <summary>Of attention's weights, for each part.</summary>
    public AttentionDrop[] Attention()
    {
        if (_streams.Count == 0 || _config.AttentionDropout == 0) return new AttentionDrop[_parts];
        return [.. _streams.Select(stream => new AttentionDrop(_config.AttentionDropout, stream.SeedOf(stream.NextSite())))];
    }

    private Drop Next(double probability)
    {
        if (_streams.Count == 0 || probability == 0) return new Drop(0, 0, 0);
        var site = 0u;
        foreach (var stream in _streams) site = stream.NextSite();
        var drop = new Drop(_streams[0].StepSeed, site, probability);
        return _seeds is null ? drop : drop.Among(_seeds, _rows);
    }

    private Tensor Seeds(Device device)
    {
        var here = empty(_streams.Count, ScalarType.Int64);
        var places = MemoryMarshal.Cast<byte, ulong>(here.bytes);
        for (var i = 0; i < places.Length; i++) places[i] = _streams[i].StepSeed;
        return HostTensors.Send(here, device);
    }
}
