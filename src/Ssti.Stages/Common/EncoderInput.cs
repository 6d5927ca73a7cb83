using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>A pretrained model as a stage's input: shape, weights, tokenizer and name.</summary>
internal sealed class EncoderInput
{
    private readonly string _folder;
    private readonly string _title;
    private readonly JsonNode? _source;

    private EncoderInput(string folder, string title, JsonNode? source, string stageName)
    {
        (_folder, _title, _source) = (folder, title, source);
        Name = (string?)source?["name"] ?? stageName;
        Config = TrunkConfig.Read(Path.Combine(folder, "config.json"), $"{title}: config.json");
    }

    /// <summary>The shape.</summary>
    public TrunkConfig Config { get; }

    /// <summary>What tables call it.</summary>
    public string Name { get; }

    /// <summary>Its name on the Hub, <c>owner/name</c>; null when it is not from there.</summary>
    public string? HubName => Source is { } source && source.StartsWith("hf://", StringComparison.Ordinal) ? source["hf://".Length..].Split('@')[0] : null;

    /// <summary>Its commit on the Hub; null when it is not from there.</summary>
    public string? Revision => HubName is null ? null : (string?)_source?["revision"];

    private string? Source => (string?)_source?["source"];

    /// <summary>Opens a model's output tree.</summary>
    public static EncoderInput Open(InputTree tree, StageContext context)
    {
        var folder = InputFolder.Of(tree, "model", context);
        var title = $"the model of '{tree.StageName}'";
        if (!TokenizerFolder.IsAmong(tree.Has)) throw new StageException($"{title} has {TokenizerFolder.Lacking(tree.Has)}; it has: {string.Join(", ", tree.Files)}");
        var source = tree.Has(ModelStage.SourceFile) ? JsonNode.Parse(File.ReadAllText(tree.PathOf(ModelStage.SourceFile))) : null;
        return new EncoderInput(folder, title, source, tree.StageName);
    }

    /// <summary>Its tensors where they lie, looked through by name and shape: what training and evaluation build the model of, one tensor at a time.</summary>
    /// <exception cref="ModelException">The weights do not fit config.json.</exception>
    public ITensorSource Checkpoint()
    {
        var weights = ModelWeights.Open(_folder, _title);
        EncoderTensors.In(Config, weights);
        return weights;
    }

    /// <summary>The encoder's tensors by the names of <see cref="TrunkConfig.Tensors"/>; the caller disposes them.</summary>
    public SafetensorsFile Weights()
    {
        var weights = ModelWeights.Open(_folder, _title);
        var found = EncoderTensors.In(Config, weights);
        using var read = weights.Load(found.Names.Values);
        // The names change, the tensors do not: they are handed on.
        return new SafetensorsFile(found.Names.ToDictionary(pair => pair.Key, pair => read.Tensors[pair.Value].alias()), read.Metadata);
    }

    /// <summary>Tensors of the model's files that are no part of the trunk, those that are there; the caller disposes them.</summary>
    public SafetensorsFile Beside(params string[] names)
    {
        var weights = ModelWeights.Open(_folder, _title);
        return weights.Load(names.Where(weights.Tensors.ContainsKey));
    }

    /// <summary>The pooler's weight and bias, where the model has one; the caller disposes them.</summary>
    public SafetensorsFile Pooler()
    {
        var weights = ModelWeights.Open(_folder, _title);
        var prefix = EncoderTensors.In(Config, weights).Prefix;
        return weights.Load(new[] { "weight", "bias" }.Select(part => $"{prefix}pooler.dense.{part}").Where(weights.Tensors.ContainsKey));
    }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer()
    {
        var tokenizer = TokenizerFolder.Read(_folder, _title);
        RequireVocabulary(tokenizer, Config, _title);
        return tokenizer;
    }

    /// <summary>Refuses a tokenizer that gives ids for which the model has no embedding.</summary>
    public static void RequireVocabulary(Tokenizer tokenizer, TrunkConfig config, string title)
    {
        if (tokenizer.VocabularySize > config.VocabSize)
            throw new ModelException($"{title}: the tokenizer has {tokenizer.VocabularySize} pieces, and config.json says vocab_size {config.VocabSize}; they are of two models");
    }

    /// <summary>Refuses rows longer than the model's position table, and warns of rows longer than its tokenizer says it reads.</summary>
    public void RequireLength(int maxLength, StageContext context)
    {
        if (maxLength > Config.MaxPositions)
            throw new StageException(
                $"max-length {maxLength} is more than the {Config.MaxPositions} positions of {Name}; "
                + $"set max-length to at most {Config.MaxPositions} (positions beyond would be untrained)");
        if (TokenizerFolder.MaxLength(_folder) is { } most && maxLength > most)
        {
            context.Warn(
                $"max-length {maxLength} is more than the {most} tokens that {Name} is meant to read (model_max_length in tokenizer_config.json): "
                + $"what stands behind them it has hardly seen, or never; set max-length to at most {most}");
        }
    }

    /// <summary>What this model is, for whatever is trained on it: name, and digests of the weights and of all that turns a text into hidden states besides.</summary>
    public JsonObject Describe() => new()
    {
        ["name"] = Name,
        ["weightsSha256"] = WeightsDigest(),
        ["settingsSha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Config.ToJson() + Tokenizer().Digest()))),
    };

    /// <summary>Refuses a fine-tuning of another model.</summary>
    /// <param name="tuned">The output of a training or an adapter.</param>
    public void RequireBaseOf(InputTree tuned)
    {
        if (JsonNode.Parse(File.ReadAllText(tuned.PathOf(TrainStage.DescriptionFile)))?["base"] is not JsonObject of)
            throw new StageException($"{TrainStage.DescriptionFile} of '{tuned.StageName}' does not say which model it was trained on; train it anew");
        var here = Describe();
        foreach (var (key, what) in new[] { ("weightsSha256", "weights"), ("settingsSha256", "config.json or tokenizer") })
        {
            if ((string?)of[key] == (string?)here[key]) continue;
            throw new StageException(
                $"'{tuned.StageName}' was trained on {of["name"]} ({what} {Short(of[key])}), "
                + $"and the model here is {Name} ({what} {Short(here[key])}); give 'model' the one it was trained on");
        }

        static string Short(JsonNode? digest) => (string?)digest is { Length: > 12 } text ? $"sha256:{text[..12]}" : "unknown";
    }

    private string WeightsDigest() => (string?)_source?["weights-sha256"]
        ?? ModelStage.WeightsDigest(ModelWeights.Open(_folder, _title).Files.Select(file => Path.Combine(_folder, file)));
}
