using Ssti.Engine.Stages;
using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>Looks through a model's files while they are fetched, the small ones first: what comes out of it is an encoder that every later stage can use.</summary>
/// <param name="context">The stage; its output holds the files that were fetched.</param>
/// <param name="title">What the user calls the model.</param>
internal sealed class ModelCheck(StageContext context, string title)
{
    // Families that BERT's names and keys may hide; a configuration without a model_type does not tell them apart.
    private static readonly string[] Others = ["roberta", "electra", "distilbert", "albert", "camembert", "deberta", "ernie", "layoutlm", "mpnet", "esm"];

    private TrunkConfig? _config;

    /// <summary>Checks config.json.</summary>
    public void Config()
    {
        var path = context.Output("config.json");
        _config = TrunkConfig.Read(path, $"{title}/config.json");
        if (Says("model_type")) return;
        var evidence = _config is BertConfig ? "BERT's keys" : $"the class of a {_config.Family}";
        context.Log($"{title}/config.json has no model_type; it has {evidence}, and is taken for one");
    }

    /// <summary>Checks the tokenizer, and that the model has an embedding for every id it gives.</summary>
    /// <param name="source">What the user calls the place where it lies.</param>
    public void Tokenizer(string source)
    {
        var tokenizer = TokenizerFolder.Read(context.OutputFolder, source);
        EncoderInput.RequireVocabulary(tokenizer, _config!, source);
        foreach (var doubt in tokenizer.Doubts(source)) context.Warn(doubt);
        var added = tokenizer.Added.Where(token => !token.Special).ToArray();
        if (added.Length > 0) context.Log($"added tokens, each one id: {Listed(added.Select(token => token.Content))}");
    }

    /// <summary>Checks names, shapes and values of the weights.</summary>
    public void Weights(CancellationToken cancellation)
    {
        var weights = ModelWeights.Open(context.OutputFolder, title);
        var found = EncoderTensors.In(_config!, weights);
        if (_config is BertConfig && Others.FirstOrDefault(other => found.Prefix.Split('.').Any(part => part.EndsWith(other, StringComparison.OrdinalIgnoreCase))) is { } family)
        {
            var names = $"the weights' names begin with '{found.Prefix}', those of {family}";
            if (!Says("model_type")) throw new ModelException($"{title}/config.json has no model_type, and {names}; add the model_type");
            context.Warn($"{title}: {names}, and config.json says bert; if it is none, what it computes is nonsense");
        }

        if (found.Prefix.Length > 0) context.Log($"the encoder's names begin with '{found.Prefix}'");
        if (found.LeftOut.Count > 0) context.Log($"left out, as no part of the encoder: {Parts(found)}");
        weights.RequireFinite(found.Names.Values, done => context.Progress(new(done, null, "bytes", "looking for values that are no numbers")), cancellation);
    }

    private bool Says(string key) => JsonFile.Object(context.Output("config.json"))[key] is not null;

    // A head by the module it is of, not tensor by tensor.
    private static string Parts(EncoderTensors found)
    {
        string Module(string name) => name.StartsWith(found.Prefix, StringComparison.Ordinal) ? found.Prefix + name[found.Prefix.Length..].Split('.')[0] : name.Split('.')[0];
        return Listed(found.LeftOut.GroupBy(Module).Select(module => module.Count() == 1 ? module.First() : $"{module.Key} ({module.Count()} tensors)"));
    }

    private static string Listed(IEnumerable<string> names)
    {
        var all = names.ToArray();
        return string.Join(", ", all.Take(20)) + (all.Length > 20 ? $" and {all.Length - 20} more" : "");
    }
}
