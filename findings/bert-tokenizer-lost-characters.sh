#!/usr/bin/env bash
# Microsoft.ML.Tokenizers 2.0.1 beside @huggingface/tokenizers 0.2.0, one and the same WordPiece vocabulary.
# BertTokenizer takes a line break or a tab out of the text before it looks for words, so the words on both sides become one ("not" + "##good").
# A symbol ($ < + =) parts the words around it, but leaves no token itself, not even the unknown one, although the vocabulary has it; a "-" stays.
# It matters because reviews are full of line breaks, and markup and prices are what a classifier may have learnt its label from:
# ids made by this class are not the ids that the model was trained on, and nothing says so. Both are known to its makers and open.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' not good '##good' feel '-' only '<' '$' 9 br '>' + = > vocab.txt
printf '%s\n' '"not good"' '"not\ngood"' '"not\tgood"' '"feel-good"' '"only $9"' '"good<br>not"' '"not+good=9"' > texts.jsonl

cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.ML.Tokenizers" Version="[2.0.1]" /></ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using Microsoft.ML.Tokenizers;
using System.Text.Json;
using var vocabulary = File.OpenRead("vocab.txt");
var bert = BertTokenizer.Create(vocabulary, new BertOptions());
foreach (var text in File.ReadLines("texts.jsonl"))
    Console.WriteLine($"{text}: {string.Join(' ', bert.EncodeToTokens(JsonSerializer.Deserialize<string>(text)!, out _).Select(token => token.Value))}");
CS
cat > peer.mjs <<'JS'
import fs from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
const lines = file => fs.readFileSync(file, 'utf8').trim().split('\n');
const tokenizer = new Tokenizer({
  version: '1.0', added_tokens: [], post_processor: null, decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100,
    vocab: Object.fromEntries(lines('vocab.txt').map((piece, id) => [piece, id])) },
}, {});
for (const text of lines('texts.jsonl')) console.log(`${text}: ${tokenizer.encode(JSON.parse(text)).tokens.join(' ')}`);
JS
cat > want <<'TXT'
"not good": not good | not good
"not\ngood": not ##good | not good
"not\tgood": not ##good | not good
"feel-good": feel - good | feel - good
"only $9": only 9 | only $ 9
"good<br>not": good br not | good < br > not
"not+good=9": not good 9 | not + good = 9
TXT

npm install --silent --no-audit --no-fund @huggingface/tokenizers@0.2.0
dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
paste -d '|' <(dotnet out/finding.dll) <(node peer.mjs | sed 's/^.*": / /') | sed 's/|/ |/' > got
diff want got || { echo "CHANGED: Microsoft.ML.Tokenizers 2.0.1 (left) beside @huggingface/tokenizers 0.2.0 (right)"; exit 1; }
echo "holds: BertTokenizer of Microsoft.ML.Tokenizers 2.0.1 joins words across a line break and loses symbols"
