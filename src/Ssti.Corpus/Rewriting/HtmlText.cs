using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Ssti.Corpus.Rewriting;

/// <summary>Takes the markup out of a text as a browser would read it (AngleSharp, the HTML5 algorithm): tags, comments, scripts, entities.</summary>
public sealed class HtmlText
{
    private readonly HtmlParser _parser = new();

    /// <summary>The text of a fragment; a line break or a block's end becomes a space. A text without <c>&lt;</c> and <c>&amp;</c> stays to the character.</summary>
    public string Strip(string text)
    {
        if (!text.AsSpan().ContainsAny('<', '&')) return text;
        using var document = _parser.ParseDocument("");
        var result = new StringBuilder(text.Length);
        foreach (var node in _parser.ParseFragment(text, document.Body!)) Append(node, result);
        return result.ToString();
    }

    private static void Append(INode node, StringBuilder text)
    {
        switch (node)
        {
            case IText words:
                text.Append(words.Data);
                break;
            case IHtmlScriptElement or IHtmlStyleElement or IComment:
                break;
            case IHtmlTemplateElement template:
                foreach (var child in template.Content.ChildNodes) Append(child, text);
                break;
            default:
                foreach (var child in node.ChildNodes) Append(child, text);
                if (node is IElement element && Parts(element.LocalName)) text.Append(' ');
                break;
        }
    }

    // Elements that part words on the page; an <i> within a word does not.
    private static bool Parts(string name) => name is "br" or "hr" or "p" or "div" or "li" or "tr" or "td" or "th" or "option" or "pre" or "blockquote" or "section"
        or "article" or "header" or "footer" or "dt" or "dd" or "h1" or "h2" or "h3" or "h4" or "h5" or "h6" or "img" or "input" or "button";
}
