using System.Text.Json.Nodes;
using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Engine.Keys;

/// <summary>All that the outputs of an action depend on, as canonical JSON. Its digest is the action's key.</summary>
public sealed class KeyDocument
{
    /// <summary>The version of the document's own form. Since 2, stages that draw nothing have no seed in it, and remote sources a revision.</summary>
    public const int Schema = 2;

    /// <summary>Makes the document of a JSON object.</summary>
    public KeyDocument(JsonObject json)
    {
        Text = CanonicalJson.Write(json);
        Key = Digest.Of(Text);
    }

    /// <summary>The canonical JSON.</summary>
    public string Text { get; }

    /// <summary>The SHA-256 of <see cref="Text"/> in UTF-8.</summary>
    public Digest Key { get; }

    /// <summary>The document as JSON.</summary>
    public JsonObject ToJson() => JsonNode.Parse(Text)!.AsObject();
}
