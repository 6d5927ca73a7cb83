using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ssti.Store.Json;

namespace Ssti.Store;

/// <summary>
/// What an executed action left: its outputs, and where they come from. Stored as <c>ac/&lt;key&gt;/&lt;tree&gt;.json</c>, after its blobs.
/// </summary>
public sealed record ActionRecord
{
    /// <summary>The digest of the key document.</summary>
    public required Digest Key { get; init; }

    /// <summary>The output tree.</summary>
    public required Digest Tree { get; init; }

    /// <summary>The files of the output tree, repeated here so that a look-up opens one file only.</summary>
    public required IReadOnlyList<TreeFile> Files { get; init; }

    /// <summary>1 for the first record of a key, then rising: which of several records is in use does not hang on a clock.</summary>
    public int Generation { get; init; } = 1;

    /// <summary>The key document: all that the outputs depend on.</summary>
    public required JsonObject Document { get; init; }

    /// <summary>The pipeline and the instance that were run, such as <c>table1</c> and <c>train@base</c>.</summary>
    public required string Pipeline { get; init; }

    /// <summary>The stage instance that was run.</summary>
    public required string Stage { get; init; }

    /// <summary>The run that did it.</summary>
    public required string Run { get; init; }

    /// <summary>When the work began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When the outputs were stored.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>Where the time went.</summary>
    public required ActionDurations Durations { get; init; }

    /// <summary>Facts the stage reported, such as losses or rows read.</summary>
    public JsonObject Metrics { get; init; } = [];

    /// <summary>Why the outputs are doubtful though they can be had, in the stage's own words.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Versions of what ran it: the program, the runtime, the operating system, libtorch.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    /// <summary>The device it computed on, such as <c>cpu-avx2</c>; null for a stage without tensors.</summary>
    public string? Device { get; init; }

    /// <summary>Its GPUs, by their numbers on the machine that ran it. The key holds their class only.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>How many stages each of them was given to at once at most, this one included; null: it had them to itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PerGpu { get; init; }

    /// <summary>
    /// How many stages it was worked at together with, itself included: <see cref="Durations"/> are then those of all of them. Null: it
    /// was alone.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Together { get; init; }

    /// <summary>How often it was tried, the last time included.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>The log, a blob; null when it was lost.</summary>
    public Digest? Log { get; init; }

    /// <summary>
    /// What in the record contradicts itself, or null: its key is the digest of its document, its tree that of its list of files, and it was computed on the
    /// device class that its document names. Costs no reading; that the files have their content is checked where they are read.
    /// </summary>
    public string? Contradiction()
    {
        try
        {
            if (CanonicalJson.Digest(Document) != Key) return "its key document has another digest than its key";
            if (Store.Tree.Of(Files).Digest != Tree) return "its list of files is not that of its tree";
            if (Document["numerics"]?["device-class"] is { } device && Device is not null && (string?)device != Device)
                return $"its key document says that it was computed on {device}, and it says {Device}";
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or StoreException)
        {
            return $"its key document or its list of files cannot be read ({e.Message})";
        }
    }

    /// <summary>The JSON of a record file.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RecordJson.Default.ActionRecord);

    /// <summary>Reads the JSON of a record file.</summary>
    /// <exception cref="StoreException">It is not a record.</exception>
    public static ActionRecord Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            // The document is read when it is asked for; bytes that are no text would come to light only then, far from here.
            if (!System.Text.Unicode.Utf8.IsValid(json)) throw new StoreException("a record is damaged: it is not UTF-8");
            var record = JsonSerializer.Deserialize(json, RecordJson.Default.ActionRecord) ?? throw new StoreException("a record is empty");
            // What may be left out has no default where the reader is generated code.
            return record with
            {
                Metrics = record.Metrics ?? [], Versions = record.Versions ?? new Dictionary<string, string>(),
                Warnings = record.Warnings ?? [], Gpus = record.Gpus ?? [],
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw new StoreException($"a record is damaged: {e.Message}", e);
        }
    }
}

/// <summary>Where an action's time went, in seconds.</summary>
/// <param name="Queue">Ready, but waiting for a slot or for another process at work on the same key.</param>
/// <param name="Fetch">Bringing the inputs here.</param>
/// <param name="Execute">The stage itself.</param>
/// <param name="Store">Hashing and storing the outputs.</param>
public sealed record ActionDurations(double Queue, double Fetch, double Execute, double Store);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(DigestConverter)], WriteIndented = false,
    AllowDuplicateProperties = false, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ActionRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;
