using Google.Protobuf;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>A piece of a SentencePiece model.</summary>
/// <param name="Text">The piece, with ▁ for a blank.</param>
/// <param name="Score">Pieces of a higher score are merged first.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct SentencePiece(string Text, float Score, SentencePieceKind Kind = SentencePieceKind.Normal);

/// <summary>Kinds of pieces, with the numbers of sentencepiece_model.proto.</summary>
public enum SentencePieceKind
{
    /// <summary>Part of texts.</summary>
    Normal = 1,

    /// <summary>Stands for what has no piece.</summary>
    Unknown = 2,

    /// <summary>Such as &lt;s&gt;: never part of a text.</summary>
    Control = 3,

    /// <summary>Found in a text as a whole.</summary>
    UserDefined = 4,

    /// <summary>Not to be used.</summary>
    Unused = 5,

    /// <summary>A byte of a character that has no piece.</summary>
    Byte = 6,
}

/// <summary>
/// A <c>tokenizer.model</c> of SentencePiece: byte-pair encoding with a piece for every byte, the text as it stands but for a blank in front, as Llama, Llama 2 and
/// Mistral have it. Source: sentencepiece_model.proto.
/// </summary>
/// <param name="Pieces">The pieces, in the order of their ids.</param>
public sealed record SentencePieceModel(IReadOnlyList<SentencePiece> Pieces)
{
    // model_type of TrainerSpec.
    private static readonly string[] Algorithms = ["none", "unigram", "BPE", "word", "character"];

    /// <summary>The name of the piece of a byte.</summary>
    public static string ByteName(int value) => $"<0x{value:X2}>";

    /// <summary>Reads a model, and refuses one whose settings are others than Llama's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it.</param>
    /// <exception cref="ModelException">It is no such model; says why.</exception>
    public static SentencePieceModel Read(string path, string title)
    {
        var (pieces, trainer, normalizer, denormalizer) = (new List<SentencePiece>(), ByteString.Empty, ByteString.Empty, ByteString.Empty);
        try
        {
            using var file = File.OpenRead(path);
            using var input = new CodedInputStream(file);
            for (uint tag; (tag = input.ReadTag()) != 0;)
            {
                if (tag == Bytes(1)) pieces.Add(Piece(input.ReadBytes()));
                else if (tag == Bytes(2)) trainer = input.ReadBytes();
                else if (tag == Bytes(3)) normalizer = input.ReadBytes();
                else if (tag == Bytes(5)) denormalizer = input.ReadBytes();
                else input.SkipLastField();
            }

            if (pieces.Count == 0) throw new ModelException($"{title} holds no pieces; is it a SentencePiece model?");
            RequireTrainer(Fields(trainer), title);
            RequireNormalizer(Fields(normalizer), title);
            if (Fields(denormalizer).TryGetValue(2, out var map) && map.Length > 0) throw Refused(title, "a denormaliser of its own");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelException($"{title} is neither a SentencePiece model nor a tiktoken file, or was cut short: {e.Message}", e);
        }

        RequirePieces(pieces, title);
        return new SentencePieceModel(pieces);
    }

    /// <summary>Writes the model as <c>tokenizer.model</c>, for sentencepiece and everything that reads its files.</summary>
    public void Write(string path)
    {
        using var file = File.Create(path);
        using var output = new CodedOutputStream(file);
        foreach (var piece in Pieces)
        {
            Message(output, 1, own =>
            {
                own.WriteTag(Bytes(1));
                own.WriteString(piece.Text);
                own.WriteTag((2 << 3) | 5);
                own.WriteFloat(piece.Score);
                Number(own, 3, (long)piece.Kind);
            });
        }

        int Id(string text, int otherwise) => Enumerable.Range(0, Pieces.Count).Where(id => Pieces[id].Text == text).DefaultIfEmpty(otherwise).First();
        Message(output, 2, own =>
        {
            Number(own, 3, 2);
            Number(own, 4, Pieces.Count);
            Number(own, 35, 1);
            foreach (var (field, id) in new[] { (40u, Id("<unk>", 0)), (41u, Id("<s>", 1)), (42u, Id("</s>", 2)), (43u, -1) }) Number(own, field, id);
        });
        Message(output, 3, own =>
        {
            own.WriteTag(Bytes(1));
            own.WriteString("identity");
            foreach (var (field, on) in new[] { (3u, 1L), (4u, 0L), (5u, 1L) }) Number(own, field, on);
        });
    }

    private static SentencePiece Piece(ByteString bytes)
    {
        var (text, score, kind) = ("", 0f, 1);
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == Bytes(1)) text = input.ReadString();
            else if (tag == ((2 << 3) | 5)) score = input.ReadFloat();
            else if (tag == 3 << 3) kind = input.ReadInt32();
            else input.SkipLastField();
        }

        return new SentencePiece(text, score, (SentencePieceKind)kind);
    }

    // Numbers as text, bytes as they are: enough to tell settings by.
    private static Dictionary<int, string> Fields(ByteString bytes)
    {
        var fields = new Dictionary<int, string>();
        var input = bytes.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            var wire = tag & 7;
            if (wire == 0) fields[(int)(tag >> 3)] = $"{input.ReadInt64()}";
            else if (wire == 2) fields[(int)(tag >> 3)] = input.ReadBytes().ToString(System.Text.Encoding.Latin1);
            else input.SkipLastField();
        }

        return fields;
    }

    private static void RequireTrainer(Dictionary<int, string> trainer, string title)
    {
        var algorithm = trainer.TryGetValue(3, out var type) && int.TryParse(type, out var number) ? number : 1;
        if (algorithm != 2) throw Refused(title, $"the algorithm {Algorithms.ElementAtOrDefault(algorithm) ?? $"{algorithm}"}; byte-pair encoding (BPE) is known");
        if (trainer.GetValueOrDefault(35, "0") != "1") throw Refused(title, "no pieces for bytes (byte_fallback is false)");
        if (trainer.GetValueOrDefault(24, "0") != "0") throw Refused(title, "blanks behind words (treat_whitespace_as_suffix is true)");
    }

    private static void RequireNormalizer(Dictionary<int, string> normalizer, string title)
    {
        if (normalizer.GetValueOrDefault(2, "").Length > 0 || normalizer.GetValueOrDefault(6, "").Length > 0)
            throw Refused(title, $"a normaliser of its own ('{normalizer.GetValueOrDefault(1, "unnamed")}'); the identity is known");
        foreach (var (field, key, wanted) in new[] { (3, "add_dummy_prefix", "1"), (4, "remove_extra_whitespaces", "0"), (5, "escape_whitespaces", "1") })
        {
            // All three are true where a file does not say.
            if (normalizer.GetValueOrDefault(field, "1") != wanted) throw Refused(title, $"{key} {(wanted == "1" ? "false" : "true")}");
        }
    }

    private static void RequirePieces(List<SentencePiece> pieces, string title)
    {
        foreach (var (id, piece) in pieces.Index())
        {
            if (piece.Kind is SentencePieceKind.UserDefined or SentencePieceKind.Unused || !Enum.IsDefined(piece.Kind))
                throw Refused(title, $"the piece '{piece.Text}' (id {id}) of the kind {piece.Kind}");
        }

        if (pieces.GroupBy(piece => piece.Text).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ModelException($"{title}: the piece '{twice.Key}' stands there {twice.Count()} times, so that its id cannot be told");
        var bytes = pieces.Where(piece => piece.Kind == SentencePieceKind.Byte).Select(piece => piece.Text).ToHashSet(StringComparer.Ordinal);
        for (var value = 0; value < 256; value++)
            if (!bytes.Contains(ByteName(value))) throw new ModelException($"{title} has no piece {ByteName(value)}: every byte needs one");
    }

    private static ModelException Refused(string title, string what) => new($"{title} is a SentencePiece model with {what}; that is not offered here");

    private static uint Bytes(uint field) => (field << 3) | 2;

    private static void Number(CodedOutputStream output, uint field, long value)
    {
        output.WriteTag(field << 3);
        output.WriteInt64(value);
    }

    private static void Message(CodedOutputStream output, uint field, Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var own = new CodedOutputStream(memory, leaveOpen: true)) write(own);
        output.WriteTag(Bytes(field));
        output.WriteBytes(ByteString.CopyFrom(memory.GetBuffer().AsSpan(0, (int)memory.Length)));
    }
}
