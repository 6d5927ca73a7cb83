using Google.Protobuf;
using Ssti.Nets.Models;

namespace Ssti.Nets.Onnx;

/// <summary>The parts of an ONNX model that hold weights: its initialisers, constants and the nodes that use them. Source: onnx.proto3 of the ONNX project.</summary>
/// <param name="Tensors">Initialisers by name.</param>
/// <param name="Nodes">The nodes of the main graph, in its order.</param>
public sealed record OnnxGraph(IReadOnlyDictionary<string, OnnxTensor> Tensors, IReadOnlyList<OnnxNode> Nodes)
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is no ONNX model, or its weights lie outside the file.</exception>
    public static OnnxGraph Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var input = new CodedInputStream(file);
            ByteString? graph = null;
            for (uint tag; (tag = input.ReadTag()) != 0;)
            {
                if (tag == Message(7)) graph = input.ReadBytes();
                else input.SkipLastField();
            }

            return graph is null ? throw new ModelException($"{path} is not an ONNX model: it has no graph") : Graph(path, graph);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelException($"{path} is not an ONNX model, or was cut short: {e.Message}", e);
        }
    }

    private static OnnxGraph Graph(string path, ByteString bytes)
    {
        var (tensors, nodes) = (new Dictionary<string, OnnxTensor>(StringComparer.Ordinal), new List<OnnxNode>());
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == Message(1))
            {
                nodes.Add(Node(path, input.ReadBytes()));
            }
            else if (tag == Message(5))
            {
                var tensor = Tensor(path, input.ReadBytes());
                if (!tensors.TryAdd(tensor.Name, tensor)) throw new ModelException($"{path}: the initialiser '{tensor.Name}' stands twice");
            }
            else
            {
                input.SkipLastField();
            }
        }

        return new OnnxGraph(tensors, nodes);
    }

    private static OnnxNode Node(string path, ByteString bytes)
    {
        var (name, operation, inputs, outputs, value) = ("", "", new List<string>(), new List<string>(), (OnnxTensor?)null);
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == Message(1)) inputs.Add(input.ReadString());
            else if (tag == Message(2)) outputs.Add(input.ReadString());
            else if (tag == Message(3)) name = input.ReadString();
            else if (tag == Message(4)) operation = input.ReadString();
            else if (tag == Message(5)) value = Attribute(path, input.ReadBytes()) ?? value;
            else input.SkipLastField();
        }

        return new OnnxNode(name, operation, inputs, outputs, value);
    }

    // Of attributes only a constant's tensor matters here.
    private static OnnxTensor? Attribute(string path, ByteString bytes)
    {
        OnnxTensor? value = null;
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == Message(5)) value = Tensor(path, input.ReadBytes());
            else input.SkipLastField();
        }

        return value;
    }

    private static OnnxTensor Tensor(string path, ByteString bytes)
    {
        var (name, shape, type, raw, unpacked) = ("", new List<long>(), 0, (ByteString?)null, false);
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == Message(1)) shape.AddRange(Packed(input.ReadBytes()));
            else if (tag == Number(1)) shape.Add(input.ReadInt64());
            else if (tag == Number(2)) type = input.ReadInt32();
            else if (tag == Message(8)) name = input.ReadString();
            else if (tag == Message(9)) raw = input.ReadBytes();
            else if (tag == Number(14) && input.ReadInt32() == 1)
                throw new ModelException($"{path}: the weights '{name}' lie in a file beside it (external data); export the model with its weights inside");
            else if (tag == Number(14)) continue;
            else
            {
                // float_data, int32_data, int64_data: small values, such as a node's constants.
                unpacked |= tag >> 3 is 4 or 5 or 7;
                input.SkipLastField();
            }
        }

        return new OnnxTensor(name, (OnnxType)type, shape, raw ?? ByteString.Empty, unpacked);
    }

    private static IEnumerable<long> Packed(ByteString bytes)
    {
        var input = bytes.CreateCodedInput();
        while (!input.IsAtEnd) yield return input.ReadInt64();
    }

    private static uint Message(uint field) => (field << 3) | 2;

    private static uint Number(uint field) => field << 3;
}

/// <summary>A node.</summary>
/// <param name="Name">Such as <c>/encoder/layer.0/attention/self/query/MatMul</c>, after the module that PyTorch exported.</param>
/// <param name="Operation">Such as <c>MatMul</c>.</param>
/// <param name="Inputs">Names of values and initialisers.</param>
/// <param name="Outputs">Names of values.</param>
/// <param name="Value">A constant's tensor.</param>
public sealed record OnnxNode(string Name, string Operation, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, OnnxTensor? Value);

/// <summary>A tensor of an ONNX model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Bytes">Its elements, little-endian, row by row.</param>
/// <param name="Unpacked">Whether elements stand in typed fields instead, which are not read.</param>
public sealed record OnnxTensor(string Name, OnnxType Type, IReadOnlyList<long> Shape, ByteString Bytes, bool Unpacked);

/// <summary>ONNX element types, as far as they are told apart here.</summary>
public enum OnnxType
{
    /// <summary>32 bits.</summary>
    Float = 1,

    /// <summary>64-bit integers.</summary>
    Int64 = 7,

    /// <summary>16 bits.</summary>
    Float16 = 10,

    /// <summary>64 bits.</summary>
    Double = 11,
}
