using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

namespace Ssti.Stages;

/// <summary>
/// Which rows a <c>tokenise</c> stage tokenised, and by what: whoever takes its ids has the same rows and the same tokenizer, by their
/// digests, or is refused.
/// </summary>
/// <param name="Dataset">The name of the data.</param>
/// <param name="Split">The split.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="TruncatedRows">How many of them were cut.</param>
/// <param name="Tokens">Ids of all rows.</param>
/// <param name="MaxLength">Tokens of a row.</param>
/// <param name="Tokenizer">The kind of the tokenizer.</param>
/// <param name="TokenizerSha256">All that gives a text its ids.</param>
/// <param name="RowsSha256">The split's file.</param>
internal sealed record StoredTokens(
    string Dataset, string Split, long Rows, long TruncatedRows, long Tokens, int MaxLength, string Tokenizer, string TokenizerSha256, string RowsSha256)
{
    private const string DescriptionFile = "tokens.json", IdsFile = "tokens.safetensors";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    /// <summary>Describes rows that were just tokenised.</summary>
    public static StoredTokens Of(InputTree data, DatasetInfo dataset, string split, Tokenizer tokenizer, TokenizedRows rows)
    {
        long tokens = 0;
        for (var row = 0; row < rows.Count; row++) tokens += rows.Ids(row).Length;
        return new(dataset.Name, split, rows.Count, rows.Truncated, tokens, rows.MaxLength, tokenizer.Kind, tokenizer.Digest(), DigestOf(data, dataset, split));
    }

    /// <summary>Writes the ids, and this beside them.</summary>
    public void Write(string folder, TokenizedRows rows)
    {
        TokenFile.Write(Path.Combine(folder, IdsFile), rows);
        File.WriteAllText(Path.Combine(folder, DescriptionFile), JsonSerializer.Serialize(this, Json) + "\n");
    }

    /// <summary>The rows of a split by the ids that a stage left.</summary>
    /// <param name="tokens">The output of the <c>tokenise</c> stage.</param>
    /// <param name="data">The dataset.</param>
    /// <param name="dataset">What it says of itself.</param>
    /// <param name="split">The split.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="maxLength">Tokens of a row.</param>
    /// <exception cref="StageException">They are of other rows, of another tokenizer, or of another length; says which.</exception>
    public static TokenizedRows Read(
        InputTree tokens, InputTree data, DatasetInfo dataset, string split, IReadOnlyList<Row> rows, Tokenizer tokenizer, int maxLength)
    {
        var stored = Described(tokens);
        if (stored.Split != split) throw Other($"holds split '{stored.Split}'", $"'{split}' is evaluated", $"split: {split}");
        if (stored.MaxLength != maxLength)
            throw Other($"holds rows of at most {stored.MaxLength} tokens", $"the model was trained on {maxLength}", $"max-length: {maxLength}");
        if (stored.TokenizerSha256 != tokenizer.Digest())
            throw Other($"was made by another tokenizer ({stored.Tokenizer})", "this model has its own", "the same 'model'");
        if (stored.RowsSha256 != DigestOf(data, dataset, split))
            throw Other($"was made of other rows ({stored.Dataset})", $"'clean' is {dataset.Name} of '{data.StageName}'", "the same 'data'");
        return TokenFile.Read(tokens.PathOf(IdsFile), rows, tokenizer, maxLength, $"{IdsFile} of '{tokens.StageName}'");

        StageException Other(string has, string wanted, string cure) =>
            new($"input 'tokens': '{tokens.StageName}' {has}, and {wanted}; tokenise with {cure}, or leave 'tokens' out");
    }

    private static StoredTokens Described(InputTree tokens)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(tokens.PathOf(DescriptionFile))).Deserialize<StoredTokens>(Json)!;
        }
        catch (JsonException e)
        {
            throw new StageException($"{DescriptionFile} of '{tokens.StageName}' cannot be read: {e.Message}", e);
        }
    }

    private static string DigestOf(InputTree data, DatasetInfo dataset, string split)
    {
        using var file = File.OpenRead(data.PathOf(dataset.Split(split)!.File));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
