using System.Text.Json;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages;

/// <summary>The head of somebody's adapter: the linear classifier among the modules it saved whole, or beside it in head.safetensors.</summary>
internal static class AdapterHead
{
    private const string PreClassifier = "pre_classifier";

    /// <summary>The head's tensors by the names of <see cref="ClassifierHead"/>, in the caller's dispose scope.</summary>
    /// <param name="peft">The adapter.</param>
    /// <param name="contents">Its tensors, told apart.</param>
    /// <param name="encoder">The model.</param>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="pooling">What the head is said to look at.</param>
    /// <param name="note">Told what is used.</param>
    /// <exception cref="StageException">There is no linear classifier that can be used.</exception>
    public static IReadOnlyDictionary<string, Tensor> Of(
        PeftAdapter peft, PeftContents contents, EncoderInput encoder, string folder, AdapterPooling pooling, Action<string> note)
    {
        var task = peft.Settings().TaskType;
        if (task is not (null or "SEQ_CLS"))
            throw new StageException($"{PeftAdapter.ConfigFile}: task_type is '{task}', and only adapters of classifiers (SEQ_CLS) can be evaluated");
        var modules = contents.Saved.Where(pair => !pair.Key.Contains("pooler.dense.", StringComparison.Ordinal))
            .GroupBy(pair => pair.Key[..Math.Max(0, pair.Key.LastIndexOf('.'))]).ToArray();
        RequireHeadUnadapted(contents, modules.Select(module => module.Key));
        // DistilBERT's classifier has a linear before it.
        var between = encoder.Config is DistilBertConfig ? Array.Find(modules, module => module.Key == PreClassifier) : null;
        var heads = modules.Where(module => module != between).ToArray();
        if (heads.Length == 0) return Beside(folder, note);
        var weight = heads[0].FirstOrDefault(pair => pair.Key.EndsWith(".weight", StringComparison.Ordinal)).Value;
        if (heads.Length > 1 || weight is null || weight.dim() != 2 || heads[0].Count() > 2) throw NotOneLinear(contents);
        var bias = heads[0].FirstOrDefault(pair => pair.Key.EndsWith(".bias", StringComparison.Ordinal)).Value ?? zeros(weight.shape[0]);
        var used = Chosen(pooling, weight.shape[1], encoder.Config);
        if (between is not null && used != AdapterPooling.PreClassifier) throw NotOneLinear(contents);
        note($"the head is '{heads[0].Key}', on {Said(used)}");
        var (weightName, biasName) = used == AdapterPooling.LastToken
            ? (ClassifierHead.LastTokenWeightName, ClassifierHead.LastTokenBiasName) : (ClassifierHead.WeightName, ClassifierHead.BiasName);
        var head = new Dictionary<string, Tensor> { [weightName] = weight.to(ScalarType.Float32), [biasName] = bias.to(ScalarType.Float32) };
        if (used == AdapterPooling.Pooler) AddPooler(head, contents, encoder);
        if (used == AdapterPooling.PreClassifier) AddPreClassifier(head, between, encoder);
        return head;
    }

    private static StageException NotOneLinear(PeftContents contents) => new(
        $"the adapter's head is {string.Join(", ", contents.Saved.Keys.Order(StringComparer.Ordinal).Take(6))}, and only one linear (a weight and a bias) can be used");

    private static void AddPooler(Dictionary<string, Tensor> head, PeftContents contents, EncoderInput encoder)
    {
        using var own = encoder.Pooler();
        Tensor? Own(string end) => own.Tensors.FirstOrDefault(pair => pair.Key.EndsWith(end, StringComparison.Ordinal)).Value;
        if (contents.Pooler(Own("weight"), Own("bias")) is not var (poolerWeight, poolerBias))
        {
            throw new StageException(
                $"the head looks at hidden states of the first position through a pooler, and neither {encoder.Name} nor the adapter has one; "
                + "take a model whose files hold pooler.dense, or set pooling: first if the head looks at [CLS] as it is");
        }

        head[ClassifierHead.PoolerWeightName] = poolerWeight.to(ScalarType.Float32, copy: true);
        head[ClassifierHead.PoolerBiasName] = poolerBias.to(ScalarType.Float32, copy: true);
    }

    private static void AddPreClassifier(Dictionary<string, Tensor> head, IEnumerable<KeyValuePair<string, Tensor>>? saved, EncoderInput encoder)
    {
        using var own = encoder.Beside($"{PreClassifier}.weight", $"{PreClassifier}.bias");
        foreach (var (end, name) in new[] { ("weight", ClassifierHead.PreClassifierWeightName), ("bias", ClassifierHead.PreClassifierBiasName) })
        {
            var tensor = saved?.FirstOrDefault(pair => pair.Key.EndsWith(end, StringComparison.Ordinal)).Value ?? own.Tensors.GetValueOrDefault($"{PreClassifier}.{end}")
                ?? throw new StageException(
                    $"the head looks at the first position through {PreClassifier}, and neither {encoder.Name} nor the adapter has its {end}; "
                    + $"save it with the adapter (modules_to_save: [{PreClassifier}, classifier]), or set pooling: first if the head looks at [CLS] as it is");
            head[name] = tensor.to(ScalarType.Float32, copy: true);
        }
    }

    // A head that is LoRA's as well computes something else than the linear that is in the file.
    private static void RequireHeadUnadapted(PeftContents contents, IEnumerable<string> modules)
    {
        var heads = modules.Append(PeftAdapter.HeadModule).Append("score").ToHashSet(StringComparer.Ordinal);
        if (contents.Skipped.FirstOrDefault(skipped => heads.Contains(skipped) || heads.Contains(skipped.Split('.')[0])) is { } adapted)
        {
            throw new StageException(
                $"the adapter changes the head '{adapted}' by LoRA as well, which is not offered here; merge it in PEFT, or save the head whole (modules_to_save)");
        }
    }

    // As train leaves it.
    private static IReadOnlyDictionary<string, Tensor> Beside(string folder, Action<string> note)
    {
        var path = Path.Combine(folder, TrainStage.HeadFile);
        if (!File.Exists(path))
        {
            throw new StageException(
                $"the adapter has no head: no module saved whole (modules_to_save: [classifier]) and no {TrainStage.HeadFile} beside it; "
                + "without the head it was trained with nothing can be measured, and none is made up");
        }

        note($"the head is {TrainStage.HeadFile}");
        return SafetensorsFile.Read(path, title: TrainStage.HeadFile).Tensors;
    }

    private static AdapterPooling Chosen(AdapterPooling pooling, long width, TrunkConfig model)
    {
        var hidden = model.HiddenSize;
        if (width != hidden && width != 2L * hidden)
            throw new StageException($"the head is {width} wide, and hidden states of {hidden} give {hidden} or {2 * hidden}: it is of another model");
        var wide = width == 2L * hidden;
        if (pooling == AdapterPooling.Auto && wide) return AdapterPooling.MeanAndLast;
        // As the family's ...ForSequenceClassification.
        if (pooling == AdapterPooling.Auto)
            return model.IsCausal ? AdapterPooling.LastToken : model is DistilBertConfig ? AdapterPooling.PreClassifier : AdapterPooling.Pooler;
        if (wide != (pooling == AdapterPooling.MeanAndLast))
            throw new StageException($"pooling is {Said(pooling)}, which gives {(wide ? hidden : 2 * hidden)} numbers, and the head is {width} wide; leave pooling out");
        if (pooling == AdapterPooling.Pooler && model is not BertConfig)
            throw new StageException($"pooling is {Said(pooling)}, and a {model.Family} has no pooler; leave pooling out");
        return pooling;
    }

    private static string Said(AdapterPooling pooling) => JsonNamingPolicy.KebabCaseLower.ConvertName(pooling.ToString());
}
