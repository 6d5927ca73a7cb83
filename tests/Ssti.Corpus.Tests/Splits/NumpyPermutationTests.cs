using System.Text;
using Ssti.Corpus.Splits;

namespace Ssti.Corpus.Tests.Splits;

public sealed class NumpyPermutationTests
{
    // numpy.random.default_rng(seed).permutation(n), NumPy 1.24.2.
    [Theory]
    [InlineData(42UL, "5,6,0,7,3,2,4,9,1,8")]
    [InlineData(42UL, "0")]
    [InlineData(42UL, "1,0")]
    [InlineData(0UL, "4,6,2,7,3,5,9,0,8,1")]
    [InlineData(12345678901234567890UL, "2,1,5,3,4,6,0")]
    public void Small_permutations_are_those_of_numpy(ulong seed, string expected) =>
        Assert.Equal(expected, string.Join(',', NumpyPermutation.Of(expected.Split(',').Length, seed)));

    // sha256 of ",".join(map(str, permutation)), NumPy 1.24.2.
    [Theory]
    [InlineData(4846, "06047de81e4afadf85a0b976c63c7d9b3047b0a7b0500ca5aca8982c473c27ec")]
    [InlineData(10662, "a2a1592ae7631689349d1b861bf258f2f0fc9a5cefa0d2b70655eca9e6632ec2")]
    public void Large_permutations_are_those_of_numpy(int count, string sha256)
    {
        var text = string.Join(',', NumpyPermutation.Of(count, 42));
        Assert.Equal(sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(text))));
    }

    [Fact]
    public void The_test_rows_come_first_and_are_rounded_up()
    {
        var (train, test) = NumpyPermutation.TrainTestSplit(10, 0.25, 42);
        Assert.Equal([5, 6, 0], test);
        Assert.Equal([7, 3, 2, 4, 9, 1, 8], train);
    }

    [Theory]
    [InlineData(1, 0.3)]
    [InlineData(10, 0.0)]
    [InlineData(10, 0.95)]
    public void A_split_with_an_empty_side_is_refused(int count, double fraction) =>
        Assert.Throws<CorpusException>(() => NumpyPermutation.TrainTestSplit(count, fraction, 42));
}
