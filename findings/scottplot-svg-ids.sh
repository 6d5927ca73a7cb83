#!/usr/bin/env bash
# ScottPlot 5.1.59 (on SkiaSharp 3.119.0).
# The ids inside an SVG come from a counter of the whole process: the same plot drawn twice gives two files that differ in their clip paths' ids
# and in nothing else, while the first drawing of one process equals the first of the next.
# It matters to whoever names results by their bytes or keeps figures as snapshots: a figure depends on how many were drawn before it, so a test
# passes alone and fails in company. Figures of several processes, put into one page, share their ids.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="ScottPlot" Version="[5.1.59]" />
    <PackageReference Include="SkiaSharp" Version="[3.119.0]" />
  </ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using System.Text.RegularExpressions;
static string Draw()
{
    using var plot = new ScottPlot.Plot();
    plot.Add.Scatter(new double[] { 1, 2, 3 }, new double[] { 0.9, 0.5, 0.3 });
    return plot.GetSvgXml(400, 300);
}
string first = Draw(), second = Draw();
static string WithoutIds(string svg) => Regex.Replace(svg, "cl_[0-9a-f]+", "cl");
File.WriteAllText(args[0], first);
Console.WriteLine($"equal: {first == second}; equal but for ids: {WithoutIds(first) == WithoutIds(second)}; ids in each: "
    + $"{Regex.Count(first, " id=\"cl_")} and {Regex.Count(second, " id=\"cl_")}");
CS
cat > want <<'TXT'
equal: False; equal but for ids: True; ids in each: 1 and 1
equal: False; equal but for ids: True; ids in each: 1 and 1
first drawings of two processes: equal
TXT

dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
{ dotnet out/finding.dll one.svg; dotnet out/finding.dll two.svg; cmp -s one.svg two.svg && echo "first drawings of two processes: equal"; } > got || true
diff want got || { echo "CHANGED: SVG of ScottPlot 5.1.59"; exit 1; }
echo "holds: SVG ids of ScottPlot 5.1.59 count through the process, so the second drawing of a plot has other bytes"
