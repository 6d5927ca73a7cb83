namespace Ssti.Corpus.Datasets;

/// <summary>A labelled text.</summary>
/// <param name="Id">What the source calls the row, unique within its split; kept through injection, so that every prediction leads back to its text.</param>
/// <param name="Text">The text, as the source has it.</param>
/// <param name="Label">The class, from 0; an index into <see cref="DatasetInfo.Labels"/>. <see cref="Unlabelled"/> in a split without labels.</param>
public sealed record Row(string Id, string Text, int Label)
{
    /// <summary>The label of every row of a split that has no labels, such as text for pretraining.</summary>
    public const int Unlabelled = -1;
}
