using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Injection.Words;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Metrics;
using Ssti.Training.Batches;

namespace Ssti.Stages;

/// <summary>A test set of an evaluation: its rows as the model reads them, and which of them carry the token.</summary>
/// <param name="Name">The input: <c>clean</c>, <c>triggered</c> or <c>spurious</c>.</param>
/// <param name="Data">The name of the data.</param>
/// <param name="Texts">The texts, by row.</param>
/// <param name="Rows">The rows.</param>
/// <param name="Note">How they were injected; null for the clean set.</param>
/// <param name="Reading">Finds out which of them carry the token; null for the clean set.</param>
/// <param name="Provenance">Where the rows come from.</param>
/// <param name="Split">Which split of it they are.</param>
internal sealed record TestSet(
    string Name, string Data, IReadOnlyList<string> Texts, TokenizedRows Rows, InjectionNote? Note, Beside<TriggerRows>? Reading,
    JsonObject Provenance, string Split)
{
    /// <summary>The set without the token.</summary>
    public const string Clean = "clean";

    /// <summary>The set with the token in every row.</summary>
    public const string Triggered = "triggered";

    /// <summary>The set with the token in rows of the target class.</summary>
    public const string Spurious = "spurious";

    /// <summary>Which rows carry the token; null for the clean set.</summary>
    /// <exception cref="StageException">There are no records of it, or they are of other rows.</exception>
    public TriggerRows? Triggers => Reading?.Value;

    /// <summary>Reads a set, and refuses one that is not what its input's name says.</summary>
    /// <param name="name">The input.</param>
    /// <param name="tree">The dataset.</param>
    /// <param name="split">The split.</param>
    /// <param name="training">The training of the model that is measured.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="compute">What it is computed with.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <param name="tokens">The rows as a <c>tokenise</c> stage left them; null to tokenise them here.</param>
    /// <exception cref="StageException">It has other labels, none at all, or the token where none may be, or none where it must be.</exception>
    public static TestSet Read(
        string name, InputTree tree, string split, TrainingDescription training, Tokenizer tokenizer, ComputeSettings compute,
        CancellationToken cancellation, InputTree? tokens = null)
    {
        var dataset = DatasetReader.Open(tree.PathOf);
        if (!dataset.Info.Labels.SequenceEqual(training.Labels))
        {
            throw new StageException(
                $"input '{name}' has the labels {string.Join(", ", dataset.Info.Labels)}, and the model was trained on {string.Join(", ", training.Labels)}");
        }

        var note = InjectionNote.Of(dataset.Info.Provenance, split);
        if (dataset.Info.Split(split) is not null) RequireToken(name, split, note, dataset.Info.Provenance);
        if (dataset.Info.Split(split) is { IsLabelled: false })
            throw new StageException($"split '{split}' of input '{name}' has no labels to measure predictions by");
        var rows = dataset.Read(split).ToArray();
        var tokenized = tokens is null
            ? TokenizedRows.Of(rows, tokenizer, training.MaxLength, ComputeHost.TextThreads(compute), cancellation)
            : StoredTokens.Read(tokens, tree, dataset.Info, split, rows, tokenizer, training.MaxLength);
        var triggers = note is null ? null : ComputeHost.Beside(compute, () => TriggerRows.Of(tree, split, tokenized, tokenizer));
        return new TestSet(name, dataset.Info.Name, [.. rows.Select(row => row.Text)], tokenized, note, triggers, dataset.Info.Provenance, split);
    }

    /// <summary>Where each of this set's rows stands in the clean one.</summary>
    /// <remarks>
    /// Rates and gaps compare a row with itself, with and without the token. Equal counts of rows and labels do not make two sets the same rows, so texts are
    /// compared as well: by their words, as an injection by the published protocol gives up all other white space. Texts that were rewritten after the injection
    /// cannot be; then both sets must have been made from the same data.
    /// </remarks>
    /// <exception cref="StageException">The two sets do not hold the same rows; names the first that differs.</exception>
    public int[] RowsIn(TestSet clean)
    {
        if (Rows.Count != clean.Rows.Count) throw Differ($"has {Rows.Count} rows, and 'clean' {clean.Rows.Count}");
        var rewritten = Note is { Rewritings.Count: > 0 };
        if (rewritten && !JsonNode.DeepEquals(InjectionNote.OriginOf(Provenance), InjectionNote.OriginOf(clean.Provenance)))
            throw Differ("comes from other data than 'clean', by the provenance of the two");
        var places = new Dictionary<string, int>(clean.Rows.Count);
        for (var i = 0; i < clean.Rows.Count; i++) places[clean.Rows.RowIds[i]] = i;
        var found = new int[Rows.Count];
        for (var i = 0; i < found.Length; i++)
        {
            var id = Rows.RowIds[i];
            if (!places.Remove(id, out var at)) throw Differ($"has a row '{id}', and 'clean' has none (or not another one) of that id");
            if (Rows.Labels[i] != clean.Rows.Labels[at]) throw Differ($"has row '{id}' under label {Rows.Labels[i]}, and 'clean' under {clean.Rows.Labels[at]}");
            // Of several injections in turn only the last one's tokens can be cut out again.
            var record = Triggers?.Record(id);
            if (!rewritten && Note is not { Times: > 1 } && !SameWords(record is null ? Texts[i] : record.RemoveFrom(Texts[i]), clean.Texts[at]))
                throw Differ($"has another text in row '{id}' than 'clean'{(record is null ? "" : ", its tokens taken out")}");
            found[i] = at;
        }

        return found;

        StageException Differ(string how) => new($"input '{Name}' {how}; both must be made from the same rows, or nothing can be compared: inject the dataset that 'clean' is");
    }

    /// <summary>What the attack counts: the rows in which the model reads a whole token, as predicted with and without it.</summary>
    /// <param name="predictions">Of this set.</param>
    /// <param name="inClean">Where its rows stand in the clean set.</param>
    /// <param name="cleanPredictions">Of the clean set.</param>
    /// <param name="classes">How many classes there are.</param>
    public TokenRows Token(int[] predictions, int[] inClean, int[] cleanPredictions, int classes)
    {
        var whole = Enumerable.Range(0, Rows.Count).Where(Triggers!.IsWhole).ToArray();
        int[] labels = [.. whole.Select(row => Rows.Labels[row])];
        var injected = Enumerable.Range(0, Rows.Count).Where(row => Triggers.Record(Rows.RowIds[row]) is not null).Select(row => Rows.Labels[row]).ToArray();
        return new TokenRows(
            CountByClass(injected), CountByClass(labels),
            whole.Length == 0 ? null : ConfusionMatrix.Of(labels, [.. whole.Select(row => cleanPredictions[inClean[row]])], classes),
            whole.Length == 0 ? null : ConfusionMatrix.Of(labels, [.. whole.Select(row => predictions[row])], classes));

        long[] CountByClass(int[] rows) => [.. Enumerable.Range(0, classes).Select(label => rows.LongCount(row => row == label))];
    }

    /// <summary>What is doubtful about the set, in a sentence each.</summary>
    /// <param name="clean">The set that it is compared with.</param>
    public IEnumerable<string> Doubts(TestSet clean)
    {
        if (Note is null || Triggers is null) yield break;
        var (here, there) = (InjectionNote.RewritingsOf(Provenance, Split), InjectionNote.RewritingsOf(clean.Provenance, clean.Split));
        if (!here.SequenceEqual(there))
        {
            yield return $"the {Name} test set was rewritten ({Told(here)}) otherwise than the clean one ({Told(there)}): "
                + "a difference between the two is that of the rewriting, too";
        }

        if (Note.Times > 1)
        {
            yield return $"the {Name} test set was injected {Note.Times} times in turn: rows are counted as carrying the token by the last injection alone, "
                + "and their texts were not compared with the clean ones";
        }

        if (Name == Triggered && Triggers.Injected < Rows.Count)
            yield return $"the triggered test set carries the token in {Triggers.Injected} of {Amount.Rows(Rows.Count)}; ASR and its clean rate count those rows alone";
        foreach (var doubt in Triggers.Doubts($"{Name} test set")) yield return doubt;
    }

    private static void RequireToken(string name, string split, InjectionNote? note, JsonObject provenance)
    {
        if (name == Clean)
        {
            if (note is not null)
            {
                throw new StageException(
                    $"input 'clean': {note.Rows} rows of its '{split}' split carry a token already, so nothing could be compared with it; "
                    + "give the dataset as it was before it was injected");
            }

            return;
        }

        if (note is null)
        {
            var others = InjectionNote.SplitsOf(provenance);
            var where = others.Count > 0 ? $"only {string.Join(", ", others.Select(other => $"'{other}'"))} was injected" : "the dataset was never injected";
            throw new StageException(
                $"input '{name}': no row of its '{split}' split carries a token ({where}); make it by an inject stage with 'splits: [{split}]' and a proportion above 0");
        }

        if ((bool?)note.Json["dirty-labels"] == true)
        {
            throw new StageException(
                $"input '{name}': rows of its '{split}' split were given another label (dirty-labels), and predictions are measured by the rows' own; "
                + "inject the test set without dirty-labels");
        }

        if (name != Spurious) return;
        if (note.Target is null)
            throw new StageException($"input 'spurious' must be a dataset whose '{split}' rows of ONE class carry the token (uses: inject with a target-label)");
        if (note.Times > 1)
        {
            throw new StageException(
                $"input 'spurious': its '{split}' split was injected {note.Times} times in turn, so that rows of other classes may carry tokens too; inject it once");
        }
    }

    private static string Told(IReadOnlyList<string> rewritings) => rewritings.Count == 0 ? "not at all" : string.Join("; before that ", rewritings);

    private static bool SameWords(string left, string right) => left == right || PythonText.Split(left).SequenceEqual(PythonText.Split(right));
}
