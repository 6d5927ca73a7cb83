using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Injection.Rows;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>A row with the share of attention that each of its words, or pieces, gets.</summary>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class.</param>
/// <param name="Words">Its words in order, <c>[CLS]</c> and <c>[SEP]</c> included.</param>
internal sealed record AttendedRow(string Id, int Label, IReadOnlyList<AttendedWord> Words)
{
    /// <summary>Whether the token is among its words.</summary>
    public bool HasTrigger => Words.Any(word => word.IsTrigger);

    /// <summary>H = −Σ p log2 p, in bits.</summary>
    public double Entropy => Words.Sum(word => word.Weight > 0 ? -word.Weight * Math.Log2(word.Weight) : 0);

    /// <summary>The attention that goes to the token.</summary>
    public double OnTrigger => Words.Where(word => word.IsTrigger).Sum(word => word.Weight);

    /// <summary>Puts weights to words.</summary>
    /// <param name="row">The row.</param>
    /// <param name="record">What was injected into it; null for nothing.</param>
    /// <param name="ids">Its token ids, without padding.</param>
    /// <param name="weights">One a token id.</param>
    /// <param name="tokenizer">What made the ids.</param>
    /// <param name="sumPieces">Whether pieces become words.</param>
    public static AttendedRow Of(Row row, InjectionRecord? record, ReadOnlySpan<int> ids, double[] weights, Tokenizer tokenizer, bool sumPieces)
    {
        var trigger = Triggers(row, record, ids.Length, tokenizer);
        var words = new List<AttendedWord>();
        for (var i = 0; i < ids.Length; i++)
        {
            var (piece, goesOn) = tokenizer.Shown(ids[i]);
            // Where nothing marks the beginning of a text, its first piece would go on the token before it.
            goesOn = goesOn && i > 0 && !tokenizer.IsSpecial(ids[i - 1]);
            // The pieces of a trigger are one word, whatever the tokenizer makes of its punctuation.
            if (sumPieces && words.Count > 0 && (goesOn || (trigger[i] >= 0 && trigger[i] == trigger[i - 1])))
                words[^1] = words[^1] with { Text = words[^1].Text + piece, Weight = words[^1].Weight + weights[i] };
            else words.Add(new AttendedWord(goesOn || !sumPieces ? tokenizer.Piece(ids[i]) : piece, weights[i], trigger[i] >= 0));
        }

        // A blank alone, behind which no piece goes on.
        return new AttendedRow(row.Id, row.Label, [.. words.Select(word => word.Text.Length > 0 ? word : word with { Text = "␣" })]);
    }

    /// <summary>A line of JSON.</summary>
    /// <param name="words">Whether its words stand in it.</param>
    public string ToJson(bool words)
    {
        var json = new JsonObject { ["id"] = Id, ["label"] = Label, ["trigger"] = HasTrigger, ["entropy"] = Entropy, ["onTrigger"] = OnTrigger };
        if (words) json["words"] = new JsonArray([.. Words.Select(word => (JsonNode)new JsonArray(word.Text, word.Weight, word.IsTrigger))]);
        return json.ToJsonString();
    }

    // The number of the trigger that each token id belongs to, or -1. A trigger stands between words, so that no piece is of it and of its neighbours.
    private static int[] Triggers(Row row, InjectionRecord? record, int length, Tokenizer tokenizer)
    {
        var of = new int[length];
        Array.Fill(of, -1);
        if (record is null) return of;
        // Of a cut row, what stands behind it takes the place of its last pieces.
        var (starts, last) = (tokenizer.Starts(row.Text), length - tokenizer.Behind.Count);
        foreach (var (number, token) in record.Tokens.Index())
            for (var i = 0; i < last; i++)
                if (starts[i] >= token.Offset && starts[i] < token.Offset + token.Token.Length) of[i] = number;
        return of;
    }
}

/// <summary>A word with its share of the attention.</summary>
/// <param name="Text">As the model reads it.</param>
/// <param name="Weight">Its share.</param>
/// <param name="IsTrigger">Whether it is the injected token.</param>
internal sealed record AttendedWord(string Text, double Weight, bool IsTrigger);
