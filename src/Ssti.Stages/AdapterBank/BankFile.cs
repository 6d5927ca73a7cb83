using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>A bank of adapters in its file, <c>bank.jsonl</c>: a line an adapter.</summary>
/// <param name="Bank">The adapters.</param>
/// <param name="Base">SHA-256 of the weights of the model that all of them are for.</param>
internal sealed record BankFile(AdapterBank Bank, string Base)
{
    /// <summary>Its name.</summary>
    public const string Name = "bank.jsonl";

    /// <summary>Reads the bank that a stage was given; null where it was given none.</summary>
    /// <exception cref="StageException">It cannot be read.</exception>
    public static BankFile? Of(SourcePath? source, InputTree? input)
    {
        if (input is not null) return Read(input.PathOf(Name), $"{Name} of '{input.StageName}'");
        if (source?.LocalPath is not { } path) return null;
        var file = Directory.Exists(path) ? Path.Combine(path, Name) : path;
        return File.Exists(file)
            ? Read(file, source.Text)
            : throw new StageException($"bank-file: there is no {Name} in '{source}'; give what `ssti export` writes of an adapter-bank");
    }

    /// <summary>How an adapter looks beside it; null, and a warning, where the two cannot be compared.</summary>
    public BankVerdict? Judge(AuditedAdapter adapter, StageContext context)
    {
        if (adapter.Spectrum.IsZero) return null;
        if (adapter.Base is null)
        {
            context.Warn(
                "nothing says which model the adapter is for: whether the bank is of the same one was not checked, and on another the comparison "
                + "means nothing");
        }
        else if (adapter.Base != Base)
        {
            context.Warn(
                $"the bank is of another base (weights sha256:{Base[..12]}) than the adapter (sha256:{adapter.Base[..12]}): it was not compared "
                + "with it; make a bank of its own base");
            return null;
        }

        if (Bank.Judge(adapter.Rank, adapter.Spectrum.Features) is not { } verdict)
        {
            context.Warn(
                $"the bank has {Bank.Entries.Count(entry => !entry.IsPoisoned)} clean and {Bank.Entries.Count(entry => entry.IsPoisoned)} "
                + "poisoned adapters: too few to learn from");
            return null;
        }

        if (!verdict.OfItsRank)
        {
            context.Warn(
                $"the bank has no clean adapter of rank {adapter.Rank}: it was compared with those of other ranks, which differ for that reason as well");
        }

        return verdict;
    }

    /// <summary>The line of an entry.</summary>
    public static string Line(BankEntry entry, string weights, double? score, IReadOnlyDictionary<string, string> cell) => new JsonObject
    {
        ["adapter"] = entry.Name,
        ["base"] = weights,
        ["rank"] = entry.Rank,
        ["injected-rows"] = entry.InjectedRows,
        ["group"] = entry.Group,
        ["cell"] = new JsonObject(cell.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["features"] = new JsonObject(AdapterSpectrum.FeatureNames.Select((name, index) => KeyValuePair.Create(name, (JsonNode?)entry.Features[index]))),
        ["score"] = score,
    }.ToJsonString() + "\n";

    private static BankFile Read(string path, string title)
    {
        var entries = new List<BankEntry>();
        string? weights = null;
        foreach (var (index, line) in File.ReadLines(path).Index())
        {
            try
            {
                var json = JsonNode.Parse(line)!;
                var features = json["features"]!.AsObject();
                weights ??= (string)json["base"]!;
                if ((string)json["base"]! != weights) throw new StageException($"{title}, line {index + 1}: the adapter is of another base than those before it; a bank is of one");
                entries.Add(new((string)json["adapter"]!, (int)json["rank"]!, (long)json["injected-rows"]!, (string)json["group"]!, false, [.. AdapterSpectrum.FeatureNames
                    .Select(name => features.ContainsKey(name) ? (double?)features[name] : throw new FormatException($"it has no feature '{name}'"))]));
            }
            catch (Exception error) when (error is JsonException or NullReferenceException or InvalidOperationException or FormatException)
            {
                throw new StageException($"{title}, line {index + 1}: not an adapter of a bank: {error.Message}", error);
            }
        }

        return weights is null ? throw new StageException($"{title} is empty: a bank holds an adapter a line") : new(new AdapterBank(entries), weights);
    }
}
