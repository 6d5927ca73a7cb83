#!/usr/bin/env bash
# Parquet.Net 6.1.0 writes, DuckDB (DuckDB.NET.Data.Full 1.5.6) reads.
# The least and greatest text of a row group are kept so that readers can skip it, and the format compares texts by their UTF-8 bytes. Parquet.Net
# compares UTF-16 units, where a character beyond U+FFFF comes before U+FF21. With both in one column the least is then above the greatest:
# DuckDB trusts that, skips the group, and answers 0 for each text that is in the file. A file of the same rows written by DuckDB answers 1.
# It matters because a join by text, or a search for rows that stand in training and test set both, finds nothing, which looks like a clean result.
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
using Parquet.Serialization;
string[] texts = ["\uFF21\u7D1A", "\U00020BB7\u91CE\u5BB6"]; // "A grade" in full width, and a chain of restaurants
await ParquetSerializer.SerializeAsync(texts.Select(text => new Row { Text = text }), "parquet-net.parquet");
using var duck = new DuckDBConnection("DataSource=:memory:");
duck.Open();
object? Sql(string sql)
{
    using var command = duck.CreateCommand();
    command.CommandText = sql;
    return command.ExecuteScalar();
}
Sql($"copy (select unnest(['{texts[0]}', '{texts[1]}']) as Text) to 'duckdb.parquet' (format parquet)");
foreach (var file in new[] { "parquet-net.parquet", "duckdb.parquet" })
    Console.WriteLine($"{file}: {Sql($"select count(*) from '{file}'")} rows, "
        + $"equal to the first {Sql($"select count(*) from '{file}' where Text = '{texts[0]}'")}, "
        + $"to the second {Sql($"select count(*) from '{file}' where Text = '{texts[1]}'")}; "
        + $"least below greatest: {Sql($"select stats_min_value < stats_max_value from parquet_metadata('{file}')")}");

public sealed class Row
{
    public string? Text { get; set; }
}
CS
cat > want <<'TXT'
parquet-net.parquet: 2 rows, equal to the first 0, to the second 0; least below greatest: False
duckdb.parquet: 2 rows, equal to the first 1, to the second 1; least below greatest: True
TXT

dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
dotnet out/finding.dll > got
diff want got || { echo "CHANGED: files of Parquet.Net 6.1.0 and of DuckDB 1.5.6, asked by DuckDB"; exit 1; }
echo "holds: in a file of Parquet.Net 6.1.0 DuckDB 1.5.6 does not find texts that are there"
