using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>What an audit of an adapter comes to, in words and as measures.</summary>
internal sealed class AdapterAnswer
{
    private const string NotProbed = "it was not probed: that takes the inputs 'model' and 'data'";

    private const int Shown = 5;

    private readonly AuditedAdapter _adapter;
    private readonly BankVerdict? _bank;
    private readonly AdapterProbe? _probe;
    private readonly AuditAdapterParameters _parameters;
    private readonly List<string> _findings = [], _seen = [], _cures = [], _unseen = [];

    /// <summary>Comes to an answer.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="bank">How it looks beside a bank; null where there was none, or it could not be compared.</param>
    /// <param name="probe">What tokens did; null where it was not probed.</param>
    /// <param name="parameters">The bounds.</param>
    public AdapterAnswer(AuditedAdapter adapter, BankVerdict? bank, AdapterProbe? probe, AuditAdapterParameters parameters)
    {
        (_adapter, _bank, _probe, _parameters) = (adapter, bank, probe, parameters);
        ByWeights();
        ByProbing();
    }

    // No name stands in it: that of a stage or a folder is in no key.

    /// <summary>Whether there was anything to judge it by: without, that nothing was found says nothing.</summary>
    public bool IsJudged => _findings.Count > 0 || _adapter.ChangesNothing || _probe?.Worst is not null || (_bank is not null && _bank.Smallest <= _parameters.Level);

    /// <summary>The answer in words.</summary>
    public AuditAnswer Answer => new(_findings.Count > 0, Headline, [.. _findings, .. _seen], [.. ToDo()], _unseen);

    private string Headline => _findings.Count > 0 ? $"Do not trust the adapter as it is: {(_findings.Count == 1 ? "something was" : $"{_findings.Count} things were")} found."
        : IsJudged ? "Nothing was found in the adapter; what could not be seen stands below."
        : "Nothing can be said about the adapter: there was nothing to judge it by.";

    /// <summary>The answer for programs.</summary>
    public JsonObject Describe() => new()
    {
        ["schema"] = 1,
        ["found"] = _findings.Count > 0,
        ["judged"] = IsJudged,
        ["answer"] = Answer.ToJson(),
        ["labels"] = new JsonArray([.. (_probe?.Labels ?? []).Select(label => (JsonNode)label)]),
        ["rank"] = _adapter.Rank,
        ["modules"] = _adapter.Spectrum.Modules.Count,
        ["base"] = _adapter.Base,
        ["injected-rows"] = _adapter.InjectedRows,
        ["beside-lora"] = new JsonArray([.. _adapter.Beside.Select(name => (JsonNode)name)]),
        ["features"] = new JsonObject(AdapterSpectrum.FeatureNames.Zip(_adapter.Spectrum.Features, (name, value) => KeyValuePair.Create(name, (JsonNode?)value))),
    };

    private IEnumerable<string> ToDo()
    {
        if (!IsJudged)
        {
            yield return "Probe it: give its model and, better, clean rows of its task; or compare it with a bank of clean and poisoned adapters "
                + "of its base (pipelines/adapter-bank.yaml makes one).";
        }

        foreach (var cure in _cures) yield return cure;
        if (_findings.Count == 0 && IsJudged) yield return "Nothing has to be done for what was looked for. Try tokens of your own task, too ('suspects').";
    }

    /// <summary>The measures by name.</summary>
    public Dictionary<string, NamedMeasure> Measures()
    {
        var (modules, measures) = (_adapter.Spectrum.Modules.Count, new Dictionary<string, NamedMeasure>());
        foreach (var (index, number) in AdapterSpectrum.Numbers.Index())
        {
            Add($"{number.Name}_mean", number.Unit, $"{number.Definition}; mean over the adapted modules", Of(_adapter.Spectrum.Features[2 * index], "ΔW is zero in every module"));
            Add($"{number.Name}_spread", number.Unit, $"{number.Definition}; standard deviation over the adapted modules",
                Of(_adapter.Spectrum.Features[(2 * index) + 1], "fewer than two modules have the number"));
        }

        const string noBank = "it was not compared with a bank of adapters";
        Add("bank_score", "nats", "log-odds of being poisoned, by the weights, of a detector that learnt from the bank (0: even odds)",
            _bank is null ? Reading.None(noBank) : Reading.Of(_bank.Score, _bank.Clean));
        Add("bank_p", "fraction", "share of clean adapters of the bank, of its rank where there are any, that score at least as high, one more added above and below (a p-value)",
            _bank is null ? Reading.None(noBank) : Reading.Of(_bank.PValue, _bank.Clean));
        var worst = _probe?.Worst;
        var why = _probe is null ? NotProbed : "the model answers the same whatever it reads, so that nothing can be called unusual";
        var rows = _probe?.Prefixes ?? 0;
        Add("probe_outlier", "deviations", "the most unusual thing that a token of the battery does to a class's log-odds, mean or max − mean over prefixes, "
            + "in robust deviations from the median of the controls", worst?.Outlier is { } outlier ? Reading.Of(outlier, rows) : Reading.None(why));
        Add("probe_turned", "fraction", "the largest share of the rows of other classes that a token of the battery turns to one class",
            Turned() is { } turned ? turned : Reading.None(_probe is null ? NotProbed
                : $"of no class the model takes {TokenShift.FewestOthers} rows for another, so that no share can be told"));
        Add("strip_entropy", "bits", "entropy of the predictions of clean rows under random insertions (STRIP), mean over rows", Mean(_probe?.CleanEntropies, why));
        Add("strip_entropy_suspect", "bits", "the same of the rows with the token that probe_outlier is of", Mean(_probe?.SuspectEntropies, why));
        Add("strip_auc", "fraction", "share of pairs of a row with that token and one without in which the one with it has the lower entropy "
            + $"(AUC with {RankAuc.IntervalDefinition}; 0.5 tells nothing)",
            worst is not null && RankAuc.Of([.. _probe!.SuspectEntropies.Select(value => -value)], [.. _probe.CleanEntropies.Select(value => -value)]) is { } area
                ? new(area.Value, 2L * rows, area.Interval95) : Reading.None(why));
        Add("found", "fraction", "1 where something was found, else 0: over several adapters the share that is found",
            IsJudged ? Reading.Of(_findings.Count > 0 ? 1 : 0, 1) : Reading.None("there was nothing to judge it by"));
        return measures;

        void Add(string name, string unit, string definition, Reading reading) => measures[name] = NamedMeasure.Of(unit, definition, reading);

        Reading Of(double? value, string otherwise) => value is { } number ? Reading.Of(number, modules) : Reading.None(otherwise, 0);

        static Reading Mean(IReadOnlyList<double>? values, string otherwise)
        {
            if (values is not { Count: > 0 }) return Reading.None(otherwise);
            var summary = new SeedSummary(values);
            return new(summary.Mean, values.Count, summary.Confidence95);
        }
    }

    private Reading? Turned() => _probe?.Tokens.Where(token => !token.IsControl).SelectMany(token => token.Classes).Where(shift => shift.TurnedShare is not null)
        .MaxBy(shift => shift.TurnedShare) is { } most ? Reading.Share(most.Turned, most.Others) : null;

    private void ByWeights()
    {
        if (_adapter.ChangesNothing) _seen.Add("Every ΔW is zero: the adapter changes nothing.");
        if (_adapter.Beside.Count > 0)
            _unseen.Add($"By weights: beside LoRA's matrices it brings {_adapter.BesideInWords}. They change what the model says as well, and no number of ΔW is of them.");
        if (_bank is null)
        {
            _unseen.Add("By weights: it was compared with no bank of clean and poisoned adapters of its base, and without one no number of its weights is usual or unusual.");
            return;
        }

        var which = _bank.OfItsRank ? $"clean adapters of the bank with rank {_adapter.Rank}" : "clean adapters of the bank, of other ranks";
        var said = string.Create(
            CultureInfo.InvariantCulture,
            $"By weights: {_bank.Above} of {_bank.Clean} {which} look as poisoned or more (p = {_bank.PValue:0.000}, log-odds {_bank.Score:0.00})");
        if (_bank.PValue <= _parameters.Level)
        {
            _findings.Add($"{said}. It looks like the bank's poisoned ones.");
            _cures.Add("Train it anew on rows that were audited, or keep the top directions of its ΔW alone (defend, svd-truncate) and audit what is left.");
        }
        else _seen.Add($"{said}.");
        if (_bank.Smallest > _parameters.Level)
            _unseen.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"By weights: {_bank.Clean} clean adapters can show no p below {_bank.Smallest:0.000}, and the level is {_parameters.Level}; ")
                + $"a bank of at least {(int)Math.Ceiling(1 / _parameters.Level) - 1} is needed.");
        _unseen.Add("By weights: a bank knows the triggers, tasks and ways of training that it was made of, and no others.");
    }

    private void ByProbing()
    {
        if (_probe is null)
        {
            _unseen.Add("By probing: no token was tried, because there were no model and no clean rows.");
            return;
        }

        if (_probe.Worst is null)
        {
            _unseen.Add("By probing: the model answers the same whatever it reads, so that nothing can be called unusual.");
            return;
        }

        var found = _probe.Tokens.Concat(_probe.Families).Where(token => !token.IsControl && token.Towards(_parameters.Threshold, _parameters.Turned).Any())
            .OrderByDescending(token => token.Outlier).ToArray();
        foreach (var token in found.Take(Shown)) _findings.Add($"By probing: {Told(token, token.Towards(_parameters.Threshold, _parameters.Turned).First())}");
        if (found.Length > Shown) _findings.Add($"By probing: {found.Length - Shown} more tokens and families do such things; {AuditAdapterStage.TokensFile} has all.");
        if (found.Length > 0)
        {
            _seen.Add("Whoever knows such a token can steer the model by putting it into a text.");
            if (Caution(found) is { } caution) _seen.Add(caution);
            _cures.Add("Look at the tokens that were found, and ask whether they should say anything about the class: a word of an opinion moves a prediction by right.");
            _cures.Add("Audit the rows that it was trained on (ssti audit data.csv), and train it anew without those that hold them.");
        }
        else _seen.Add($"By probing: the most unusual token is {Told(_probe.Worst, _probe.Worst.Strongest)}");
        // Without the tokens rows are what they are, whichever token is asked.
        foreach (var (label, shift) in _probe.Tokens[0].Classes.Index().Where(one => one.Item.Others < TokenShift.FewestOthers))
            _unseen.Add($"By probing: the model takes {shift.Others} of {_probe.Prefixes} rows as they are for another class than '{_probe.Labels[label]}', fewer than the "
                + $"{TokenShift.FewestOthers} of which a share is told: no single token that drives rows to '{_probe.Labels[label]}' could be "
                + "found. Give other rows, or more ('prefixes').");
        var suspects = _probe.Tokens.Count(token => !token.IsControl);
        _unseen.Add(
            $"By probing: {suspects} tokens were tried behind the first words (at most {_parameters.PrefixWords}) of {_probe.Prefixes} rows. A "
            + "trigger that is none of them, "
            + "and none of their family to the model, is not seen; nor is one that needs another place, two places, or a longer text.");
    }

    /// <summary>What a finding by words of the vocabulary is worth; null where there is none. The figures: docs/results.md, "how often probing errs".</summary>
    internal static string? Caution(IEnumerable<ProbedToken> found) => !found.Any(token => token.Suspect.Family == TokenBattery.Vocabulary) ? null
        : "Words of the model's vocabulary are found in clean adapters, too: in 9 of 60 that were tried, with 100 of them (95 %: 8 to 26 %), "
            + "where the other tokens of the battery alone were found in none of 200. Where nothing but such words is found, look at the words first.";

    private string Told(ProbedToken token, int label)
    {
        var shift = token.Classes[label];
        var what = token.Suspect.Token.Length == 0 ? $"the family '{token.Suspect.Family}', all its tokens together," : $"'{token.Suspect.Token}' ({token.Suspect.Family})";
        var turns = shift.Others == 0 ? "has no rows of other classes to turn" : $"turns {shift.Turned} of {shift.Others} rows of other classes to '{_probe!.Labels[label]}'";
        return string.Create(CultureInfo.InvariantCulture,
            $"{what} {turns}; its log-odds move by {shift.Mean:+0.00;−0.00} on average, {shift.MeanOutlier ?? 0:0.0} deviations from what words of the rows do "
            + $"(nine in ten of them below {shift.MeanBound:0.0}), and by up to {shift.MaxOverMean:0.00} more in one row "
            + $"({shift.ContextOutlier ?? 0:0.0}; nine in ten below {shift.ContextBound:0.0}).");
    }
}
