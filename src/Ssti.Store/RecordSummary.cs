using System.Text.Json;

namespace Ssti.Store;

/// <summary>The part of an action record that a look-up needs: ten thousand of these are read to plan a large pipeline.</summary>
/// <param name="Key">The action.</param>
/// <param name="Tree">The output tree.</param>
/// <param name="Generation">Which of several records is in use: the highest.</param>
/// <param name="Files">The files of the output tree.</param>
/// <param name="ExecuteSeconds">How long the stage itself took.</param>
public sealed record RecordSummary(Digest Key, Digest Tree, int Generation, IReadOnlyList<TreeFile> Files, double ExecuteSeconds)
{
    /// <summary>Why the outputs are doubtful, as <see cref="ActionRecord.Warnings"/> says.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Why this record cannot be used, or null: its file could not be read as a record.</summary>
    public string? Damage { get; init; }

    /// <summary>Reads the summary from the JSON of a record, skipping the rest.</summary>
    /// <exception cref="StoreException">It is not a record.</exception>
    public static RecordSummary Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            if (!System.Text.Unicode.Utf8.IsValid(json)) throw new StoreException("a record is damaged: it is not UTF-8");
            return Read(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw new StoreException($"a record is damaged: {e.Message}", e);
        }
    }

    private static RecordSummary Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        Digest? key = null, tree = null;
        var generation = 1;
        var execute = 0.0;
        var files = new List<TreeFile>();
        IReadOnlyList<string> warnings = [];
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8)) key = ReadDigest(ref reader);
            else if (reader.ValueTextEquals("tree"u8)) tree = ReadDigest(ref reader);
            else if (reader.ValueTextEquals("generation"u8) && reader.Read()) generation = reader.GetInt32();
            else if (reader.ValueTextEquals("files"u8)) ReadFiles(ref reader, files);
            else if (reader.ValueTextEquals("durations"u8)) execute = ReadExecute(ref reader);
            else if (reader.ValueTextEquals("warnings"u8)) warnings = ReadTexts(ref reader);
            else reader.Skip();
        }

        // Reading on to the end: a record cut short must not pass for one.
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read()) throw new JsonException("cut short");
        if (key is null || tree is null) throw new JsonException("no key or no tree");
        return new RecordSummary(key.Value, tree.Value, generation, files, execute) { Warnings = warnings };
    }

    private static IReadOnlyList<string> ReadTexts(ref Utf8JsonReader reader)
    {
        List<string>? texts = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.String) (texts ??= []).Add(reader.GetString()!);
        return texts ?? (IReadOnlyList<string>)[];
    }

    private static Digest ReadDigest(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader is { HasValueSequence: false, ValueIsEscaped: false } && Digest.TryParse(reader.ValueSpan, out var digest)) return digest;
        return Digest.Parse(reader.GetString() ?? "");
    }

    private static void ReadFiles(ref Utf8JsonReader reader, List<TreeFile> files)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            string path = "";
            Digest digest = default;
            long size = -1;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("path"u8) && reader.Read()) path = reader.GetString() ?? "";
                else if (reader.ValueTextEquals("digest"u8)) digest = ReadDigest(ref reader);
                else if (reader.ValueTextEquals("size"u8) && reader.Read()) size = reader.GetInt64();
                else reader.Skip();
            }

            files.Add(new TreeFile(path, digest, size));
        }
    }

    private static double ReadExecute(ref Utf8JsonReader reader)
    {
        var seconds = 0.0;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("execute"u8) && reader.Read()) seconds = reader.GetDouble();
            else reader.Skip();
        }

        return seconds;
    }
}
