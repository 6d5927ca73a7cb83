using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Signing;

/// <summary>A signature that is not what it should be.</summary>
/// <param name="Key">The key of the record.</param>
/// <param name="Stage">The stage, where it can be read.</param>
/// <param name="Signer">The signer, as the file is named.</param>
/// <param name="Problem">What is wrong.</param>
public sealed record BadSignature(Digest Key, string? Stage, string Signer, string Problem);

/// <summary>What looking at all signatures of a store found.</summary>
/// <param name="Good">Good signatures by the name of the key; by its fingerprint where this user has no name for it.</param>
/// <param name="Unsigned">Records that nobody signed.</param>
/// <param name="Bad">What is not what it should be.</param>
public sealed record SignatureReport(IReadOnlyDictionary<string, int> Good, int Unsigned, IReadOnlyList<BadSignature> Bad)
{
    private const int AtOnce = 200;

    /// <summary>Looks at them.</summary>
    /// <param name="store">The store, as it is.</param>
    /// <param name="keys">Who has a name.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static async Task<SignatureReport> OfAsync(IArtifactStore store, IReadOnlyList<NamedKey> keys, CancellationToken cancellation = default)
    {
        var good = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var bad = new List<BadSignature>();
        var unsigned = 0;
        await foreach (var batch in store.KeysAsync(cancellation).Chunk(AtOnce).WithCancellation(cancellation).ConfigureAwait(false))
        {
            var records = await store.RecordsAsync(batch, cancellation).ConfigureAwait(false);
            var signatures = await store.SignaturesAsync(batch, cancellation).ConfigureAwait(false);
            for (var i = 0; i < batch.Length; i++)
            {
                var signed = new HashSet<Digest>();
                foreach (var signature in signatures[i])
                {
                    var beside = records[i].FirstOrDefault(record => record.Tree == signature.Tree);
                    var problem = SignedRecord.Check(signature, out var said) ?? (beside is null ? null : Difference(beside, said!.Record));
                    var name = said is null ? signature.Signer : keys.FirstOrDefault(key => key.Bytes.Span.SequenceEqual(said.PublicKey.Span))?.Name ?? signature.Signer;
                    if (problem is not null) bad.Add(new BadSignature(batch[i], beside?.Stage ?? said?.Record.Stage, name, problem));
                    else good[name] = good.GetValueOrDefault(name) + 1;
                    if (problem is null) signed.Add(signature.Tree);
                }

                unsigned += records[i].Count(record => !signed.Contains(record.Tree));
            }
        }

        return new SignatureReport(good, unsigned, bad);
    }

    // Times differ where one made again what another had made; what a stage says of its outputs must not.
    private static string? Difference(ActionRecord there, ActionRecord signed) =>
        !there.Warnings.SequenceEqual(signed.Warnings) ? "the record beside it has other warnings than were signed"
        : CanonicalJson.Write(there.Metrics) != CanonicalJson.Write(signed.Metrics) ? "the record beside it has other metrics than were signed"
        : null;
}
