#!/usr/bin/env bash
# FastBertTokenizer 1.2.6 beside @huggingface/tokenizers 0.2.0, one and the same WordPiece vocabulary.
# The tokenizer files of published BERT models make one unknown token of a word that is longer than 100 characters (max_input_chars_per_word).
# FastBertTokenizer has no such limit and cuts the word up: at 100 letters the two agree, at 101 one gives a single [UNK] and the other 101 pieces.
# It matters because scraped text has such words (keyboard mashing, links, rulers of one letter): a single one of them then fills the
# model's whole length, pushes the rest of the row out, and is nothing that the model has seen in training.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a '##a' bad film > vocab.txt
cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="FastBertTokenizer" Version="[1.2.6]" /></ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using FastBertTokenizer;
var bert = new BertTokenizer();
using (var vocabulary = new StreamReader("vocab.txt")) bert.LoadVocabulary(vocabulary, convertInputToLowercase: true);
foreach (var length in new[] { 100, 101 })
{
    var ids = bert.Encode(new string('a', length) + " bad film", 512).InputIds.ToArray();
    Console.WriteLine($"{length} letters: {ids.Length - 2} tokens, the first has id {ids[1]}");
}
CS
cat > peer.mjs <<'JS'
import fs from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
const pieces = fs.readFileSync('vocab.txt', 'utf8').trim().split('\n');
const tokenizer = new Tokenizer({
  version: '1.0', added_tokens: [], post_processor: null, decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100,
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])) },
}, {});
for (const length of [100, 101]) {
  const { ids } = tokenizer.encode('a'.repeat(length) + ' bad film');
  console.log(`${length} letters: ${ids.length} tokens, the first has id ${ids[0]}`);
}
JS
cat > want <<'TXT'
100 letters: 102 tokens, the first has id 5
101 letters: 103 tokens, the first has id 5
100 letters: 102 tokens, the first has id 5
101 letters: 3 tokens, the first has id 1
TXT

npm install --silent --no-audit --no-fund @huggingface/tokenizers@0.2.0
dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
{ dotnet out/finding.dll; node peer.mjs; } > got
diff want got || { echo "CHANGED: FastBertTokenizer 1.2.6 (two lines), then @huggingface/tokenizers 0.2.0 (two lines)"; exit 1; }
echo "holds: FastBertTokenizer 1.2.6 cuts up a word of 101 letters where others make it one unknown token"
