using Ssti.Corpus.Datasets;
using Ssti.Training.Batches;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.Batches;

public sealed class TokenizedRowsTests
{
    [Fact]
    public void Rows_keep_their_order_however_many_threads_tokenise_them()
    {
        var one = TokenizedRows.Of(Toy.Rows(500), Toy.Tokenizer, Toy.Length, 1, CancellationToken.None);
        var many = TokenizedRows.Of(Toy.Rows(500), Toy.Tokenizer, Toy.Length, 8, CancellationToken.None);
        Assert.Equal(Toy.Rows(500).Select(row => row.Id), many.RowIds);
        Assert.Equal(Toy.Rows(500).Select(row => row.Label), many.Labels);
        for (var i = 0; i < one.Count; i++) Assert.Equal(one.Ids(i), many.Ids(i));
    }

    [Fact]
    public void Long_rows_are_cut_and_counted_and_short_ones_padded_at_the_right()
    {
        using var scope = NewDisposeScope();
        var rows = TokenizedRows.Of([new Row("a", "w0 w1", 1), new Row("b", "w2 w3 w4 w5 w6", 0)], Toy.Tokenizer, 5, 1, CancellationToken.None);
        var batch = rows.Batch([1, 0], CPU);

        Assert.Equal(1, rows.Truncated);
        Assert.Equal([2, 2], new[] { batch.Ids.shape[0], batch.Mask.shape[0] });
        Assert.Equal([2, 7, 8, 9, 3, 2, 5, 6, 3, 0], batch.Ids.data<long>());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 0], batch.Mask.data<long>());
        Assert.Equal([0, 1], batch.Labels.data<long>());
    }

    [Fact]
    public void A_split_without_rows_is_refused() =>
        Assert.Contains("no rows", Assert.Throws<TrainingException>(() => TokenizedRows.Of([], Toy.Tokenizer, 5, 1, CancellationToken.None)).Message);

    [Fact]
    public void Tokenising_stops_when_it_is_cancelled()
    {
        using var source = new CancellationTokenSource();
        IEnumerable<Row> Endless()
        {
            for (var i = 0; ; i++)
            {
                if (i == 100) source.Cancel();
                yield return new Row($"{i}", "w0", 0);
            }
        }

        Assert.ThrowsAny<OperationCanceledException>(() => TokenizedRows.Of(Endless(), Toy.Tokenizer, 5, 2, source.Token));
    }

    [Fact]
    public void Rows_of_several_sets_that_read_alike_stand_once_among_the_distinct_ones()
    {
        TokenizedRows Of(params string[] texts) => TokenizedRows.Of(
            texts.Select((text, i) => new Row($"{text}-{i}", text, i % 2)), Toy.Tokenizer, 6, 1, CancellationToken.None);
        var (first, second) = (Of("w1 w2", "w3", "w1 w2"), Of("w3", "w1 w2 w4", "w1  w2"));

        var distinct = TokenizedRows.Distinct([first, second], out var places);

        Assert.Equal([[0, 1, 0], [1, 2, 0]], places);
        Assert.Equal(["w1 w2-0", "w3-1", "w1 w2 w4-1"], distinct.RowIds);
        foreach (var (set, at) in new[] { first, second }.Zip(places))
        {
            for (var row = 0; row < set.Count; row++) Assert.Equal(set.Ids(row).ToArray(), distinct.Ids(at[row]).ToArray());
        }
    }

    [Fact]
    public void A_ragged_batch_has_the_padded_one_s_ids_and_labels_and_says_where_tokens_begin()
    {
        using var scope = NewDisposeScope();
        var rows = Toy.Tokens(9);
        int[] picked = [7, 0, 3, 3];
        var (padded, ragged) = (rows.Batch(picked, CPU), rows.Ragged(picked, CPU));
        Assert.True(padded.Mask.equal(ragged.Tokens.Mask()).all().item<bool>());

        Assert.Equal(padded.Ids.data<long>().ToArray(), ragged.Tokens.Ids.to(ScalarType.Int64).contiguous().data<long>().ToArray());
        Assert.Equal(padded.Labels.data<long>().ToArray(), ragged.Labels.data<long>().ToArray());
        var lengths = padded.Mask.sum(1).data<long>().ToArray();
        Assert.Equal([0, .. lengths.Select((_, i) => (int)lengths[..(i + 1)].Sum())], ragged.Tokens.Starts.contiguous().data<int>().ToArray());
        Assert.Equal([0, 12, 24, 36, 48], ragged.Tokens.Padded.contiguous().data<int>().ToArray());
        Assert.Equal((lengths.Sum(), lengths.Max()), (ragged.Tokens.Tokens, ragged.Tokens.Longest));
    }
}
