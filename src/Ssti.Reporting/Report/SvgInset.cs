using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Ssti.Reporting.Report;

/// <summary>
/// A drawing made fit to stand in a page: only elements and attributes that draw are kept (no script, no style sheet, nothing from elsewhere), and its ids are
/// made its own.
/// </summary>
internal static partial class SvgInset
{
    private const int LargestBytes = 4_000_000;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg", XLink = "http://www.w3.org/1999/xlink";

    private static readonly HashSet<string> Elements =
    [
        "svg", "g", "defs", "clipPath", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "use", "image",
        "linearGradient", "radialGradient", "stop",
    ];

    private static readonly HashSet<string> Attributes =
    [
        "id", "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "width", "height", "points", "viewBox", "transform", "offset",
        "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset",
        "stroke-linecap", "stroke-linejoin", "opacity", "clip-path", "clip-rule", "stop-color", "stop-opacity", "gradientUnits", "gradientTransform",
        "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "letter-spacing", "preserveAspectRatio",
    ];

    /// <summary>The drawing as an <c>svg</c> element.</summary>
    /// <param name="svg">The text of an SVG file.</param>
    /// <param name="prefix">What its ids begin with from here on.</param>
    /// <param name="label">What it shows, for those who do not see it.</param>
    /// <exception cref="FormatException">It is no SVG.</exception>
    public static string Of(string svg, string prefix, string label)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(svg), new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = LargestBytes,
            });
            var root = XDocument.Load(reader).Root!;
            if (root.Name != Svg + "svg") throw new FormatException($"not an SVG drawing: it is a '{root.Name.LocalName}'");
            var kept = Keep(root, prefix, depth: 0)!;
            kept.SetAttributeValue("role", "img");
            kept.SetAttributeValue("aria-label", label.ReplaceLineEndings(" "));
            return kept.ToString(SaveOptions.DisableFormatting).ReplaceLineEndings("\n");
        }
        catch (Exception error) when (error is XmlException or ArgumentException)
        {
            throw new FormatException($"not an SVG drawing: {error.Message}", error);
        }
    }

    private static XElement? Keep(XElement element, string prefix, int depth)
    {
        if (element.Name.Namespace != Svg || !Elements.Contains(element.Name.LocalName) || depth > 50) return null;
        var kept = new XElement(element.Name);
        foreach (var attribute in element.Attributes())
        {
            var href = attribute.Name == "href" || attribute.Name == XLink + "href";
            // A null adds nothing.
            kept.SetAttributeValue(href ? "href" : attribute.Name.LocalName, href ? Link(element, attribute.Value, prefix) : Value(attribute, prefix));
        }

        foreach (var node in element.Nodes())
        {
            if (node is XElement child && Keep(child, prefix, depth + 1) is { } inner) kept.Add(inner);
            // The white space by which a file is indented says nothing.
            else if (element.Name.LocalName is "text" or "tspan" && node is XText text) kept.Add(new XText(text.Value.Trim()));
        }

        return kept;
    }

    // Within the drawing, or a picture that is written out in it.
    private static string? Link(XElement element, string value, string prefix) =>
        Id().Match(value) is { Success: true } id ? $"#{prefix}{id.Groups[1].Value}"
        : element.Name.LocalName == "image" && Picture().IsMatch(value) ? value : null;

    private static string? Value(XAttribute attribute, string prefix)
    {
        if (attribute.Name.NamespaceName.Length > 0 || !Attributes.Contains(attribute.Name.LocalName)) return null;
        var value = attribute.Value;
        if (attribute.Name.LocalName == "id") return Plain().IsMatch(value) ? prefix + value : null;
        if (Reference().Match(value) is { Success: true } reference) return $"url(#{prefix}{reference.Groups[1].Value})";
        return value.Contains("url", StringComparison.OrdinalIgnoreCase) || value.Contains('\\') ? null : value;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_.-]+$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^#([A-Za-z0-9_.-]+)$")]
    private static partial Regex Id();

    [GeneratedRegex(@"^url\(#([A-Za-z0-9_.-]+)\)$")]
    private static partial Regex Reference();

    [GeneratedRegex(@"^data:image/png;base64,[A-Za-z0-9+/=\s]+$")]
    private static partial Regex Picture();
}
