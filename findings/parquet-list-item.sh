#!/usr/bin/env bash
# Parquet.Net 6.1.0, with DuckDB (DuckDB.NET.Data.Full 1.5.6) as the second opinion.
# A list column has an inner field, whose name means nothing: "element" is the advice of today, "item" is Arrow's own word and stands in many files.
# Read into a class, a list whose inner field is not called "element" is null in every row. There is no exception, and the other columns are right.
# It matters because token ids, embeddings and many-label targets are such columns: they come back as "no tokens" and "no labels".
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
    <UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier><SelfContained>false</SelfContained>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Parquet.Net" Version="[6.1.0]" />
    <PackageReference Include="DuckDB.NET.Data.Full" Version="[1.5.6]" />
  </ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using DuckDB.NET.Data;
using Parquet.Schema;
using Parquet.Serialization;
using var duck = new DuckDBConnection("DataSource=:memory:");
duck.Open();
foreach (var inner in new[] { "element", "item" })
{
    var schema = new ParquetSchema(new DataField<string>("Label"), new ListField("Ids", new DataField<int?>(inner)));
    var row = new Dictionary<string, object?> { ["Label"] = "pos", ["Ids"] = new List<int?> { 101, 102 } };
    using (var file = File.Create(inner + ".parquet"))
        await ParquetSerializer.SerializeUntypedAsync(new List<IDictionary<string, object?>> { row }, schema, file);

    var read = (await ParquetSerializer.DeserializeAsync<Row>(inner + ".parquet")).Data.Single();
    using var command = duck.CreateCommand();
    command.CommandText = $"select Label || ' ' || Ids::varchar from '{inner}.parquet'";
    Console.WriteLine($"{inner}: Parquet.Net {read.Label} {(read.Ids is null ? "null" : $"[{string.Join(", ", read.Ids)}]")}; DuckDB {command.ExecuteScalar()}");
}

public sealed class Row
{
    public string? Label { get; set; }

    public List<int?>? Ids { get; set; }
}
CS
cat > want <<'TXT'
element: Parquet.Net pos [101, 102]; DuckDB pos [101, 102]
item: Parquet.Net pos null; DuckDB pos [101, 102]
TXT

dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
dotnet out/finding.dll > got
diff want got || { echo "CHANGED: Parquet.Net 6.1.0 beside DuckDB 1.5.6"; exit 1; }
echo "holds: Parquet.Net 6.1.0 reads a list into a class as null unless its inner field is called element"
