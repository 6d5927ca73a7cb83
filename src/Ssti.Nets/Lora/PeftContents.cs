using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Lora;

/// <summary>A PEFT adapter's tensors, told apart: those of the trunk's linears, those of the pooler, and modules that were saved whole.</summary>
public sealed class PeftContents
{
    private const string PoolerModule = "pooler.dense";

    private readonly PeftSettings _settings;
    private readonly IReadOnlyList<string> _roots;
    private readonly string _inside;
    private readonly Dictionary<string, Tensor> _trunk = new(StringComparer.Ordinal), _pooler = new(StringComparer.Ordinal), _saved = new(StringComparer.Ordinal);
    private readonly List<string> _skipped = [];

    private PeftContents(PeftSettings settings, TrunkConfig config, string inside) => (_settings, _roots, _inside) = (settings, config.Roots, inside);

    /// <summary>Modules saved whole, such as <c>classifier.weight</c>, by name without <c>base_model.model.</c>.</summary>
    public IReadOnlyDictionary<string, Tensor> Saved => _saved;

    /// <summary>The names of adapted modules outside of the trunk, which the adapter on the trunk leaves out.</summary>
    public IReadOnlyList<string> Skipped => _skipped;

    /// <summary>Whether the pooler is adapted, or saved whole.</summary>
    public bool HasPooler => _pooler.Count > 0 || PoolerSaved.Count > 0;

    private Dictionary<string, Tensor> PoolerSaved => _saved.Where(pair => pair.Key.Contains(PoolerModule, StringComparison.Ordinal)).ToDictionary();

    /// <summary>Tells an adapter's tensors apart.</summary>
    /// <param name="peft">The adapter; its tensors stay its own.</param>
    /// <param name="trunk">The trunk it is for.</param>
    /// <exception cref="ModelException">It was trained on a model of another structure, or changes parts of the trunk that no adapter may.</exception>
    public static PeftContents Of(PeftAdapter peft, Trunk trunk)
    {
        var settings = peft.Settings();
        if (peft.Tensors.Keys.FirstOrDefault(name => !name.StartsWith(PeftAdapter.Prefix, StringComparison.Ordinal)) is { } foreign)
            throw new ModelException($"the adapter's tensor '{foreign}' does not begin with '{PeftAdapter.Prefix}': save it with PEFT's save_pretrained");
        var bare = peft.Tensors.ToDictionary(pair => pair.Key[PeftAdapter.Prefix.Length..], pair => pair.Value, StringComparer.Ordinal);
        var contents = new PeftContents(settings, trunk.Config, InsideOf(bare.Keys, trunk));
        foreach (var (name, tensor) in bare) contents.Take(name, tensor);
        return contents;
    }

    /// <summary>The adapter of the trunk's linears.</summary>
    /// <exception cref="ModelException">Its tensors do not fit the trunk, or are not those that its settings speak of.</exception>
    public LoraAdapter Adapter(Trunk trunk)
    {
        var named = trunk.Linears.Where(linear => _settings.Targets(_inside + linear.Name)).Select(linear => linear.Name).ToArray();
        if (named.Length == 0) throw new ModelException($"{PeftAdapter.ConfigFile}: target_modules names no linear of the model");
        string[] names = [.. trunk.Config.Tensors().Select(tensor => tensor.Name)];
        string[] saved = [.. _settings.Saved.Where(module => names.Any(name => LoraConfig.IsOf(module, _inside + name)))];
        var config = new LoraConfig(_settings.Rank, _settings.Alpha, _settings.Dropout, named, _settings.UseDora)
        {
            Own = named.ToDictionary(name => name, name => _settings.Of(_inside + name)),
            Bias = _settings.Bias,
            ModulesToSave = saved.Length == 0 ? null : saved,
            Whole = [.. names.Where(name => IsTrainedWhole(name, named))],
        };
        return LoraAdapter.Load(config, trunk, _trunk);
    }

    /// <summary>The pooler as the adapter leaves it: the base's with the adapter's product, or the one that was saved whole. Of the caller's dispose scope.</summary>
    /// <param name="weight">The base's weight; null when it has no pooler.</param>
    /// <param name="bias">The base's bias.</param>
    /// <exception cref="ModelException">The adapter's tensors do not fit.</exception>
    public (Tensor Weight, Tensor Bias)? Pooler(Tensor? weight, Tensor? bias)
    {
        var saved = PoolerSaved;
        // A bias alone is one that was trained beside the adapter (bias: all).
        if (saved.Keys.Any(name => name.EndsWith(".weight", StringComparison.Ordinal)))
        {
            Tensor Part(string end) => saved.FirstOrDefault(pair => pair.Key.EndsWith($"{PoolerModule}.{end}", StringComparison.Ordinal)).Value
                ?? throw new ModelException($"the adapter saves a pooler without its {end}");
            return (Part("weight"), Part("bias"));
        }

        if (weight is null || bias is null) return null;
        weight = weight.to(ScalarType.Float32);
        bias = (saved.Values.FirstOrDefault() ?? bias).to(ScalarType.Float32);
        if (_pooler.Count == 0) return (weight, bias);
        Tensor Lora(string suffix) => _pooler.GetValueOrDefault(suffix)?.to(ScalarType.Float32) ?? throw new ModelException($"the adapter lacks '{PoolerModule}{suffix}'");
        var (a, b) = (Lora(LoraAdapter.SuffixA), Lora(LoraAdapter.SuffixB));
        var (rank, scaling) = _settings.Of(_inside + PoolerModule);
        if (!a.shape.SequenceEqual([rank, weight.shape[1]]) || !b.shape.SequenceEqual([weight.shape[0], rank]))
            throw new ModelException("the adapter's tensors of the pooler do not fit the model");
        var changed = weight.add(matmul(b, a).mul(Scalars.Kept(scaling)), Scalars.One);
        return (_settings.UseDora ? changed.mul((Lora(LoraAdapter.SuffixMagnitude) / LoraAdapter.RowNorm(changed)).unsqueeze(1)) : changed, bias);
    }

    private static string InsideOf(IEnumerable<string> names, Trunk trunk)
    {
        var ends = new[] { LoraAdapter.SuffixA, LoraAdapter.SuffixB, LoraAdapter.SuffixMagnitude };
        var prefixes = new HashSet<string>(StringComparer.Ordinal);
        var others = new List<string>();
        foreach (var name in names)
        {
            if (Array.Find(ends, end => name.EndsWith(end, StringComparison.Ordinal)) is not { } end) continue;
            var module = name[..^end.Length];
            if (trunk.Linears.FirstOrDefault(linear => PeftNames.Named(linear.Name, module)) is { } linear) prefixes.Add(module[..^linear.Name.Length]);
            else others.Add(name);
        }

        if (prefixes.Count == 1) return prefixes.Single();
        if (prefixes.Count > 1)
            throw new ModelException($"the adapter is of several encoders, under {string.Join(", ", prefixes.Order(StringComparer.Ordinal).Select(prefix => $"'{prefix}'"))}");
        throw new ModelException(others.Count > 0
            ? $"the adapter's tensor '{PeftAdapter.Prefix}{others[0]}' is of no linear of the model: it was trained on a model of another structure"
            : "the adapter holds no tensor of LoRA for a linear of the model");
    }

    private bool InTrunk(string bare) => _roots.Any(root => bare.StartsWith(root, StringComparison.Ordinal));

    private void Take(string name, Tensor tensor)
    {
        // Of a module that is saved whole, with bias: all, PEFT stores the bias under the names of its wrapper as well.
        if (name.Contains(".original_module.", StringComparison.Ordinal) || name.Contains(".modules_to_save.", StringComparison.Ordinal)) return;
        name = name.Replace($".{PeftAdapter.BaseLayer}", ".", StringComparison.Ordinal);
        var bare = name.StartsWith(_inside, StringComparison.Ordinal) ? name[_inside.Length..] : null;
        if (!name.Contains(".lora_", StringComparison.Ordinal))
        {
            if (bare is null || !InTrunk(bare)) Add(_saved, name, tensor);
            else if (IsTrainedWhole(bare)) Add(_trunk, bare, tensor);
            else throw new ModelException($"the adapter replaces '{name}' of the model, and neither modules_to_save nor bias says that it was trained");
        }
        else if (bare?.StartsWith(PoolerModule + ".lora_", StringComparison.Ordinal) == true)
        {
            _pooler.Add(bare[PoolerModule.Length..], tensor);
            if (!_skipped.Contains(_inside + PoolerModule)) _skipped.Add(_inside + PoolerModule);
        }
        else if (bare is not null && InTrunk(bare))
        {
            // Also what fits no linear: the adapter is then refused by this name.
            _trunk.Add(bare, tensor);
        }
        else
        {
            var module = name[..name.IndexOf(".lora_", StringComparison.Ordinal)];
            if (!_skipped.Contains(module)) _skipped.Add(module);
        }
    }

    // Within base_layer and without: which is meant nobody knows.
    private static void Add(Dictionary<string, Tensor> tensors, string name, Tensor tensor)
    {
        if (!tensors.TryAdd(name, tensor)) throw new ModelException($"the adapter holds '{name}' twice, with and without '{PeftAdapter.BaseLayer}'");
    }

    private bool IsTrainedWhole(string bare, string[]? adapted = null)
    {
        if (_settings.Saved.Any(module => LoraConfig.IsOf(module, _inside + bare))) return true;
        if (!bare.EndsWith(".bias", StringComparison.Ordinal)) return false;
        return _settings.Bias == LoraBias.All || (_settings.Bias == LoraBias.LoraOnly && adapted?.Contains(bare[..^".bias".Length]) != false);
    }
}
