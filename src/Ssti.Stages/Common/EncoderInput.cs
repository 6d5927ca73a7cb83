using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>A pretrained encoder as a stage's input: shape, weights, tokenizer and name.</summary>
internal sealed record EncoderInput(BertConfig Config, string Name, string Folder, bool Lowercase)
{
    private const string Vocabulary = "vocab.txt";

    /// <summary>Opens a model's output tree.</summary>
    public static EncoderInput Open(InputTree tree, StageContext context)
    {
        if (!tree.Has(Vocabulary))
            throw new StageException($"the model of '{tree.StageName}' has no {Vocabulary}, and only WordPiece tokenizers (BERT) are known; it has: {string.Join(", ", tree.Files)}");
        var folder = InputFolder.Of(tree, "model", context);
        var name = tree.Has(ModelStage.SourceFile) ? (string?)JsonNode.Parse(File.ReadAllText(tree.PathOf(ModelStage.SourceFile)))?["name"] : null;
        var lowercase = !tree.Has("tokenizer_config.json") || (bool?)JsonNode.Parse(File.ReadAllText(tree.PathOf("tokenizer_config.json")))?["do_lower_case"] != false;
        return new EncoderInput(BertConfig.Read(Path.Combine(folder, "config.json")), name ?? tree.StageName, folder, lowercase);
    }

    /// <summary>Its tensors; the caller disposes them.</summary>
    public SafetensorsFile Weights() => ModelWeights.Read(Folder);

    /// <summary>Its tokenizer.</summary>
    public WordPieceTokenizer Tokenizer()
    {
        var tokenizer = WordPieceTokenizer.Load(Path.Combine(Folder, Vocabulary), Lowercase);
        return tokenizer.VocabularySize <= Config.VocabSize
            ? tokenizer
            : throw new StageException($"{Vocabulary} has {tokenizer.VocabularySize} pieces, and config.json says vocab_size {Config.VocabSize}; they are of two models");
    }

    /// <summary>Refuses rows longer than the model's position table.</summary>
    public void RequireLength(int maxLength)
    {
        if (maxLength > Config.MaxPositions)
            throw new StageException(
                $"max-length {maxLength} is more than the {Config.MaxPositions} positions of {Name}; set max-length to at most {Config.MaxPositions} (positions beyond would be untrained)");
    }
}
