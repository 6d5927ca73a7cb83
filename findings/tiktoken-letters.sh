#!/usr/bin/env bash
# Microsoft.ML.Tokenizers 2.0.1 (TiktokenTokenizer behind a RegexPreTokenizer) beside OpenAI's tiktoken 1.0.22, the same ranks and Llama 3's published pattern.
# The pattern's \p{L} is a letter of any script to tiktoken. .NET's regular expressions look at UTF-16 units, so a letter beyond U+FFFF (Gothic, Adlam, the bold letters that people decorate
# posts with) is two surrogates, and no letter: a word ends before it, and pieces that would be merged across that place are not.
# It matters because the ids are not those that a Llama 3 was trained on, and nothing says so.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

# All bytes, and one merge: "x" with the first byte of every letter from U+10000 on.
node -e '
const rank = bytes => Buffer.from(bytes).toString("base64");
const lines = [...Array(256).keys()].map(byte => rank([byte]) + " " + byte);
lines.push(rank([0x78, 0xf0]) + " 256");
require("fs").writeFileSync("ranks.tiktoken", lines.join("\n") + "\n");
require("fs").writeFileSync("texts.json", JSON.stringify(["x\u{1D407}", "x\u{10330}y", "x\u00e9", "a b"]));
'
cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.ML.Tokenizers" Version="[2.0.1]" /></ItemGroup>
</Project>
XML
cat > pattern <<'TXT'
(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
TXT
cat > Program.cs <<'CS'
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
var words = new RegexPreTokenizer(new Regex(File.ReadAllText("pattern").Trim()), null);
using var ranks = File.OpenRead("ranks.tiktoken");
var tokenizer = TiktokenTokenizer.Create(ranks, words, null);
foreach (var text in JsonSerializer.Deserialize<string[]>(File.ReadAllText("texts.json"))!) Console.WriteLine(string.Join(' ', tokenizer.EncodeToIds(text)));
CS
cat > peer.mjs <<'JS'
import fs from 'node:fs';
import { Tiktoken } from 'tiktoken';
// The package's own form of a ranks file: a name, the first rank, then the tokens in their order.
const ranks = '! 0 ' + fs.readFileSync('ranks.tiktoken', 'utf8').trim().split('\n').map(line => line.split(' ')[0]).join(' ');
const tokenizer = new Tiktoken(ranks, {}, fs.readFileSync('pattern', 'utf8').trim());
for (const text of JSON.parse(fs.readFileSync('texts.json', 'utf8'))) console.log([...tokenizer.encode(text)].join(' '));
tokenizer.free();
JS
cat > want <<'TXT'
120 240 157 144 135|256 157 144 135
120 240 144 140 176 121|256 144 140 176 121
120 195 169|120 195 169
97 32 98|97 32 98
TXT
npm install --silent --no-audit --no-fund tiktoken@1.0.22
dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
paste -d '|' <(dotnet out/finding.dll) <(node peer.mjs) > got
diff want got || { echo "CHANGED: Microsoft.ML.Tokenizers 2.0.1 (left) beside tiktoken 1.0.22 (right)"; exit 1; }
echo "holds: TiktokenTokenizer of Microsoft.ML.Tokenizers 2.0.1 ends a word before a letter beyond U+FFFF, tiktoken does not"
