#!/usr/bin/env bash
# Microsoft.ML.Tokenizers 2.0.1 beside sentencepiece itself (compiled to WebAssembly: npm sentencepiece-js 1.1.0), one and the same BPE model file.
# Where a pair of equal pieces can be merged at two places, sentencepiece merges at the left one and SentencePieceTokenizer at the right one:
# of three dots the one becomes ".. ." and the other ". ..". Pieces, ids and with them the rows of embeddings differ; their number does not here.
# It matters because "...", "!!!" and drawn-out words are what opinions are written in: Llama-2 prompts from .NET differ from those of training.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

cat > model.mjs <<'JS'
// A model of eleven pieces, written field by field: 1 piece {1 text, 2 score, 3 kind}, 2 trainer {3 kind 2 = BPE, 4 size}, 3 normalizer.
import fs from 'node:fs';
const block = (field, bytes) => [field << 3 | 2, bytes.length, ...bytes], number = (field, value) => [field << 3, value];
const score = value => [2 << 3 | 5, ...Buffer.from(new Float32Array([value]).buffer)];
const piece = ([text, kind = 1], rank) => block(1, [...block(1, Buffer.from(text)), ...score(-rank), ...number(3, kind)]);
const pieces = [['<unk>', 2], ['<s>', 3], ['</s>', 3], ['..'], ['!!'], ['oo'], ['\u2581'], ['.'], ['!'], ['o'], ['s']];
fs.writeFileSync('bpe.model', Buffer.from([
  ...pieces.flatMap(piece), ...block(2, [...number(3, 2), ...number(4, pieces.length)]),
  ...block(3, [...block(1, Buffer.from('identity')), ...number(3, 1), ...number(4, 0), ...number(5, 1)])]));
JS
cat > peer.cjs <<'JS'
const { SentencePieceProcessor } = require('sentencepiece-js');
(async () => {
  const sentencepiece = new SentencePieceProcessor();
  await sentencepiece.load('bpe.model');
  for (const text of process.argv.slice(2)) console.log(`${text}: ${sentencepiece.encodePieces(text).join(' ')}`);
})();
JS
cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.ML.Tokenizers" Version="[2.0.1]" /></ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using Microsoft.ML.Tokenizers;
using var model = File.OpenRead("bpe.model");
var tokenizer = SentencePieceTokenizer.Create(model, addBeginningOfSentence: false, addEndOfSentence: false);
foreach (var text in args) Console.WriteLine($"{text}: {string.Join(' ', tokenizer.EncodeToTokens(text, out _).Select(token => token.Value))}");
CS
cat > want <<'TXT'
..: ▁ .. | ▁ ..
...: ▁ . .. | ▁ .. .
s!!!: ▁ s ! !! | ▁ s !! !
sooo: ▁ s o oo | ▁ s oo o
.....: ▁ . .. .. | ▁ .. .. .
TXT

npm install --silent --no-audit --no-fund sentencepiece-js@1.1.0 app-root-path@3.1.0
node model.mjs
dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
texts=('..' '...' 's!!!' 'sooo' '.....')
paste -d '|' <(dotnet out/finding.dll "${texts[@]}") <(node peer.cjs "${texts[@]}" | sed 's/^.*: / /') | sed 's/|/ |/' > got
diff want got || { echo "CHANGED: Microsoft.ML.Tokenizers 2.0.1 (left) beside sentencepiece-js 1.1.0 (right)"; exit 1; }
echo "holds: SentencePieceTokenizer of Microsoft.ML.Tokenizers 2.0.1 merges a run from the right, sentencepiece from the left"
