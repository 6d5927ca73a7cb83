namespace Ssti.Nets.Models;

/// <summary>The families that are known, and why others are not.</summary>
internal static class Families
{
    private static readonly (string ModelType, string Classes, Func<ConfigFile, TrunkConfig> Read)[] Known =
    [
        ("bert", "Bert", BertConfig.Of), ("distilbert", "DistilBert", DistilBertConfig.Of), ("llama", "Llama", LlamaConfig.Of), ("openelm", "OpenELM", OpenElmConfig.Of),
    ];

    // Families that people bring along, each with what it has that is not here.
    private static readonly Dictionary<string, string> Others = new()
    {
        ["roberta"] = "its byte-level BPE tokenizer is not known here, and its positions begin behind the padding's",
        ["xlm-roberta"] = "its SentencePiece Unigram tokenizer is not known here (multilingual e5, bge-m3, arctic-embed-l-v2.0 are of this family)",
        ["camembert"] = "its SentencePiece Unigram tokenizer is not known here",
        ["modernbert"] = "its byte-level BPE tokenizer and its alternation of local and global attention are not known here",
        ["nomic_bert"] = "it has rotary positions and SwiGLU under code of its own (arctic-embed-m-long is of this family)",
        ["gte"] = "it runs code of its own (arctic-embed-m-v2.0 is of this family)",
        ["new"] = "it runs code of its own (gte-*-v1.5 are of this family)",
        ["deberta"] = "its disentangled attention is not known here",
        ["deberta-v2"] = "its disentangled attention is not known here",
        ["electra"] = "its embeddings have a width of their own",
        ["albert"] = "its layers share their weights",
        ["mpnet"] = "its relative positions are not known here",
        ["gpt2"] = "its byte-level BPE tokenizer and its transposed linears are not known here",
        ["gpt_neo"] = "its byte-level BPE tokenizer and its local attention are not known here",
        ["mistral"] = "its sliding window is not known here",
        ["mixtral"] = "its mixture of experts is not known here",
        ["qwen2"] = "its biases of query, key and value are not known here",
        ["qwen3"] = "its norms of query and key are not known here",
        ["gemma"] = "its scaled embeddings and shifted norms are not known here",
        ["phi3"] = "its fused projections are not known here",
    };

    /// <summary>The shape that a config.json tells.</summary>
    /// <exception cref="ModelException">The family is not known, or its reader refuses a key.</exception>
    public static TrunkConfig Of(ConfigFile file)
    {
        // Configurations older than the key: the class tells, and without one BERT's keys.
        var type = file.ModelType ?? Known.FirstOrDefault(family => file.Architecture?.StartsWith(family.Classes, StringComparison.Ordinal) == true).ModelType;
        if (type is null && file.Architecture is { } architecture)
            throw new ModelException($"{file.Title} has no model_type, and its architecture is '{architecture}', of no family that is known here; {TrunkConfig.Advice}");
        var known = Array.Find(Known, family => family.ModelType == (type ?? "bert"));
        if (known.Read is not null) return known.Read(file);
        var names = string.Join(", ", Known.Select(family => $"'{family.ModelType}'"));
        var why = Others.TryGetValue(type!, out var reason) ? $" ({reason})" : "";
        throw new ModelException($"{file.Title}: model_type is '{type}'{why}, and only {names} can be used; {TrunkConfig.Advice}");
    }
}
