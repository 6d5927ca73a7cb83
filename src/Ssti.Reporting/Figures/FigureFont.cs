using ScottPlot;
using SkiaSharp;

namespace Ssti.Reporting.Figures;

/// <summary>
/// The one font of all figures, carried along: a plot is laid out by the width of its texts, so with the fonts of the machine the same data would give other bytes
/// elsewhere. Roboto, Apache License 2.0, from Debian's fonts-roboto-unhinted.
/// </summary>
internal sealed class FigureFont : IFontResolver
{
    public const string Family = "Roboto";

    private static readonly SKTypeface Typeface = Read();

    /// <summary>Makes it known to the drawing library, once; called while no other drawing goes on.</summary>
    public static void Install()
    {
        if (!Fonts.FontResolvers.OfType<FigureFont>().Any()) Fonts.FontResolvers.Insert(0, new FigureFont());
    }

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => fontName == Family ? Typeface : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Family ? Typeface : null;

    private static SKTypeface Read()
    {
        using var stream = typeof(FigureFont).Assembly.GetManifestResourceStream("Ssti.Reporting.Roboto-Regular.ttf")!;
        using var data = SKData.Create(stream);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException("the font of the figures cannot be read");
    }
}
