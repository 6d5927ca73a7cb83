#!/usr/bin/env bash
# ScottPlot 5.1.59 (on SkiaSharp 3.119.0).
# A NaN among the values is left out and the axes follow the rest. An infinity makes ScottPlot give up the whole axis instead: it falls back to
# fixed limits around zero that have nothing to do with the data. A second curve, finite throughout, does not help: it goes out of the picture too.
# It matters because a training that diverges ends in an infinite loss: the figure of all runs is then blank, with plausible numbers at its axis.
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
using System.Globalization;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
double[] steps = [1, 2, 3];
void Limits(string what, params double[][] curves)
{
    using var plot = new ScottPlot.Plot();
    foreach (var curve in curves) plot.Add.Scatter(steps, curve);
    plot.GetSvgXml(400, 300);
    var y = plot.Axes.GetLimits().YRange;
    Console.WriteLine($"{what}: {y.Min:0.##} to {y.Max:0.##}");
}
Limits("finite", [100, 400, 900]);
Limits("with NaN", [100, 400, double.NaN]);
Limits("with infinity", [100, 400, double.PositiveInfinity]);
Limits("infinity in one curve of two", [100, 400, 900], [100, double.PositiveInfinity, 900]);
CS
cat > want <<'TXT'
finite: 40 to 960
with NaN: 77.5 to 422.5
with infinity: -11.5 to 11.5
infinity in one curve of two: -11.5 to 11.5
TXT

dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
dotnet out/finding.dll > got
diff want got || { echo "CHANGED: axis limits of ScottPlot 5.1.59"; exit 1; }
echo "holds: one infinite value makes ScottPlot 5.1.59 draw an axis on which none of the data lie"
