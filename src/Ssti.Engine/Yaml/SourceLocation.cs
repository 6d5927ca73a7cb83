using System.Globalization;

namespace Ssti.Engine.Yaml;

/// <summary>A place in a pipeline file, or a <c>--set</c> of the command line.</summary>
/// <param name="File">The file as the user named it, or <c>--set name</c>.</param>
/// <param name="Line">From 1; 0 when there are no lines.</param>
/// <param name="Column">From 1.</param>
public readonly record struct SourceLocation(string File, int Line, int Column)
{
    /// <summary>In the form that editors and terminals make clickable: <c>file(line,col)</c>.</summary>
    public override string ToString() => Line == 0 ? File : string.Create(CultureInfo.InvariantCulture, $"{File}({Line},{Column})");
}
