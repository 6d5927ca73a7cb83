using System.Text;
using System.Text.Json.Nodes;
using NSec.Cryptography;
using Ssti.Store;

namespace Ssti.Signing;

/// <summary>Signs records with a private key. A signature holds the whole record it is about, so that it means the same wherever it is copied to.</summary>
public sealed class RecordSigner
{
    private readonly Key _key;

    private RecordSigner(Key key) => (_key, Fingerprint) = (key, KeyRing.FingerprintOf(key.PublicKey.Export(KeyBlobFormat.RawPublicKey)));

    /// <summary>The fingerprint of the public key.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads a private key.</summary>
    /// <exception cref="StoreException">It is none.</exception>
    public static RecordSigner Of(string path)
    {
        try
        {
            // The message must not have what is in the file.
            return Key.TryImport(SignatureAlgorithm.Ed25519, File.ReadAllBytes(path), KeyBlobFormat.PkixPrivateKeyText, out var key) ? new RecordSigner(key!)
                : throw new StoreException($"{path} is no private key (Ed25519, -----BEGIN PRIVATE KEY-----), such as 'ssti keys new' makes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"the key {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The signature of a record.</summary>
    public RecordSignature Sign(ActionRecord record)
    {
        var text = Encoding.UTF8.GetString((record with { Generation = 1 }).ToJson());
        var json = new JsonObject
        {
            ["schema"] = SignedRecord.Schema,
            ["public-key"] = Convert.ToBase64String(_key.PublicKey.Export(KeyBlobFormat.RawPublicKey)),
            ["signature"] = Convert.ToBase64String(SignatureAlgorithm.Ed25519.Sign(_key, SignedRecord.Message(text))),
            ["record"] = text,
        };
        return new RecordSignature(record.Key, record.Tree, Fingerprint, Encoding.UTF8.GetBytes(json.ToJsonString()));
    }
}
