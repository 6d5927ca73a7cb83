namespace Ssti.Nets.Tokenizers;

/// <summary>How much of a text an encoding holds.</summary>
/// <param name="Kept">Ids written, those before and behind the text included.</param>
/// <param name="Total">Ids the text has without truncation, those before and behind it included.</param>
/// <param name="CutAt">
/// Index of the first character of the text whose piece, or word of pieces, did not wholly fit, or the text's length when everything did:
/// a trigger token that starts there or later never reached the model.
/// </param>
public readonly record struct TokenCount(int Kept, int Total, int CutAt)
{
    /// <summary>Whether something was cut off.</summary>
    public bool Truncated => Total > Kept;
}
