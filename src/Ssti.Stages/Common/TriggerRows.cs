using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

namespace Ssti.Stages;

/// <summary>
/// Which rows of an injected split carry a trigger: in their text, by the records that inject stages leave, and in what the model reads of it,
/// after the tokenizer and the cut to <c>max-length</c>.
/// </summary>
internal sealed class TriggerRows
{
    private readonly IReadOnlyDictionary<string, InjectionRecord> _records;
    private readonly bool[] _whole;

    private TriggerRows(IReadOnlyDictionary<string, InjectionRecord> records, bool[] whole, long unknown, int maxLength) =>
        (_records, _whole, Unknown, MaxLength) = (records, whole, unknown, maxLength);

    /// <summary>Rows that were injected.</summary>
    public long Injected => _records.Count;

    /// <summary>Of those, the rows whose text has none of its triggers any more: something was done to it since.</summary>
    public long Lost => _records.Values.LongCount(record => record.Tokens.Count == 0);

    /// <summary>Rows of which the model reads at least one whole trigger.</summary>
    public long Whole => _whole.LongCount(whole => whole);

    /// <summary>Of those, the rows whose triggers are nothing but [UNK] to the model's vocabulary.</summary>
    public long Unknown { get; }

    /// <summary>Tokens of a row, those before and behind its text included.</summary>
    public int MaxLength { get; }

    /// <summary>Whether the model reads a whole trigger in a row, by its index.</summary>
    public bool IsWhole(int row) => _whole[row];

    /// <summary>The record of a row by its id; null when it was not injected.</summary>
    public InjectionRecord? Record(string id) => _records.GetValueOrDefault(id);

    /// <summary>Looks a split's records up in its tokenised rows.</summary>
    /// <param name="tree">The dataset.</param>
    /// <param name="split">The split, which its provenance calls injected.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="tokenizer">What they were tokenised by.</param>
    /// <exception cref="StageException">There are no records, or they are of other rows.</exception>
    public static TriggerRows Of(InputTree tree, string split, TokenizedRows rows, Tokenizer tokenizer)
    {
        var file = InjectionRecordFile.NameFor(split);
        var records = new Dictionary<string, InjectionRecord>();
        try
        {
            foreach (var record in InjectionRecordFile.Read(tree.PathOf(file)))
            {
                if (!records.TryAdd(record.RowId, record))
                    throw new StageException($"{file} of '{tree.StageName}' has two records of row '{record.RowId}': rows need ids of their own");
            }
        }
        catch (Injection.InjectionException error)
        {
            throw new StageException($"the output of '{tree.StageName}': {error.Message}", error);
        }

        var reading = new Dictionary<string, (bool Any, bool Known)>();
        var whole = new bool[rows.Count];
        long found = 0, unknown = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            if (!records.TryGetValue(rows.RowIds[i], out var record)) continue;
            found++;
            var cut = rows.CutAt[i];
            var read = record.Tokens.Where(token => End(token) <= cut).Select(token => Reading(token.Token)).Where(token => token.Any).ToArray();
            whole[i] = read.Length > 0;
            if (whole[i] && !read.Any(token => token.Known)) unknown++;
        }

        if (found != records.Count)
        {
            throw new StageException(
                $"{file} of '{tree.StageName}' has records of {records.Count} rows, and {found} rows of split '{split}' answer to them: rows need ids of their own");
        }

        return new TriggerRows(records, whole, unknown, rows.MaxLength);

        // A trigger may be read as nothing (control characters), or as a piece that the vocabulary does not know.
        (bool Any, bool Known) Reading(string token)
        {
            if (reading.TryGetValue(token, out var known)) return known;
            var pieces = tokenizer.Pieces(token);
            return reading[token] = (pieces.Length > 0, pieces.Any(piece => piece != tokenizer.UnknownId));
        }
    }

    /// <summary>What is doubtful about a split's triggers, in a sentence each.</summary>
    /// <param name="of">Whose rows they are, such as <c>training split 'train'</c>.</param>
    public IEnumerable<string> Doubts(string of)
    {
        if (Lost > 0)
            yield return $"{of}: in {Lost} of {Injected} injected rows no whole trigger is left, "
                + "since the texts were rewritten after the injection; they count as injected, and not as carrying one";
        if (Whole < Injected - Lost)
        {
            yield return $"{of}: of {(Lost > 0 ? $"{Amount.Rows(Injected - Lost)} with a trigger" : Amount.Of(Injected, "injected row"))} "
                + $"{Whole} still carr{(Whole == 1 ? "ies" : "y")} a whole trigger within max-length {MaxLength}; "
                + $"in the other {Injected - Lost - Whole} the tokenizer or the cut took it away. Raise max-length, or inject nearer to the beginning";
        }

        if (Unknown > 0)
        {
            yield return $"{of}: in {Unknown} of {Amount.Rows(Whole)} the model reads nothing of the trigger but [UNK], as its vocabulary has no piece of it; "
                + "take tokens that it knows";
        }
    }

    // A later step may have gone into a trigger of several words, and moved its end.
    private static int End(Injection.InjectedToken token) => Math.Max(token.Offset + token.Token.Length, token.CutStart + token.CutLength);
}
