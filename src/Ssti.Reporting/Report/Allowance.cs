using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>How many bytes of UTF-8 a part of a page may still take: what does not fit is left out whole, and named.</summary>
internal sealed class Allowance(int bytes)
{
    private const int MostNames = 12;
    private readonly List<string> _left = [];

    /// <summary>Bytes that are left.</summary>
    public int Bytes { get; private set; } = bytes;

    /// <summary>Whether a piece fits; then it is counted.</summary>
    public bool Take(string html)
    {
        var size = Encoding.UTF8.GetByteCount(html);
        if (size > Bytes) return false;
        Bytes -= size;
        return true;
    }

    /// <summary>The pieces that fit, in order; <see cref="LeftOut"/> names the others.</summary>
    public string Fill(IEnumerable<(string Name, string Html)> pieces)
    {
        var html = new StringBuilder();
        foreach (var (name, piece) in pieces)
        {
            if (Take(piece)) html.Append(piece);
            else _left.Add(name);
        }

        return html.ToString();
    }

    /// <summary>A paragraph that names what did not fit, or nothing.</summary>
    /// <param name="what">What they are, in the plural.</param>
    /// <param name="more">How to get them.</param>
    public string LeftOut(string what, string more)
    {
        if (_left.Count == 0) return "";
        var names = string.Join(", ", _left.Take(MostNames).Select(name => Markup.Line(name, 80)));
        var rest = _left.Count > MostNames ? string.Create(CultureInfo.InvariantCulture, $" and {_left.Count - MostNames} more") : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"<p class=\"left\">{_left.Count} {what} left out, for the page would be too large: {names}{rest}; {Markup.Line(more)}.</p>\n");
    }
}
