namespace Ssti.Nets.Tokenizers;

/// <summary>A token that is found in a text as a whole, before words are made.</summary>
/// <param name="Content">As it is written in a text.</param>
/// <param name="Id">Its id.</param>
/// <param name="Special">Whether it is no word of the language, such as [SEP].</param>
/// <param name="Normalized">Whether it is looked for after lower case and the loss of accents, with its own content treated alike; else in the text as it stands.</param>
/// <param name="SingleWord">Whether a letter or digit beside it keeps it from being found.</param>
/// <param name="LeftStrip">Whether it takes white space before it: changes no id here, as white space has none.</param>
/// <param name="RightStrip">Whether it takes white space behind it: likewise.</param>
public sealed record AddedToken(
    string Content, int Id, bool Special = false, bool Normalized = true, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false);
