using System.Text;
using System.Text.Json;
using NSec.Cryptography;
using Ssti.Store;

namespace Ssti.Signing;

/// <summary>What a signature says, once it is known to be the signer's word.</summary>
/// <param name="Signer">The fingerprint of the key.</param>
/// <param name="PublicKey">The key, 32 bytes.</param>
/// <param name="Record">The record that was signed; its generation is always 1.</param>
public sealed record SignedRecord(string Signer, ReadOnlyMemory<byte> PublicKey, ActionRecord Record)
{
    internal const int Schema = 1;

    /// <summary>Checks a signature: that the key in it made it, that its file has the key's name, and that it is about the record that it lies beside.</summary>
    /// <param name="signature">As it lies in a store.</param>
    /// <param name="signed">What it says, when it is sound.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Check(RecordSignature signature, out SignedRecord? signed)
    {
        signed = null;
        try
        {
            using var document = JsonDocument.Parse(signature.Content);
            var root = document.RootElement;
            if (root.GetProperty("schema").GetInt32() != Schema) return "it is of a newer version of the program";
            var (bytes, mark) = (root.GetProperty("public-key").GetBytesFromBase64(), root.GetProperty("signature").GetBytesFromBase64());
            var text = root.GetProperty("record").GetString()!;
            if (KeyRing.FingerprintOf(bytes) != signature.Signer) return "its file has the name of another key";
            if (!NSec.Cryptography.PublicKey.TryImport(SignatureAlgorithm.Ed25519, bytes, KeyBlobFormat.RawPublicKey, out var key)
                || !SignatureAlgorithm.Ed25519.Verify(key!, Message(text), mark)) return "it was not made by its key, or what it is about was altered";
            var record = ActionRecord.Parse(Encoding.UTF8.GetBytes(text));
            if (record.Key != signature.Key || record.Tree != signature.Tree) return "it is about another record";
            if (record.Contradiction() is { } contradiction) return $"what was signed contradicts itself: {contradiction}";
            signed = new SignedRecord(signature.Signer, bytes, record);
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or StoreException)
        {
            return "it is damaged";
        }
    }

    // A key that signs other things too must not be made to sign a record by them.
    internal static byte[] Message(string record) => Encoding.UTF8.GetBytes($"ssti record {Schema}\n{record}");
}
