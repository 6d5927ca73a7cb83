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
}
