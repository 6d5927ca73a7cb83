using System.Buffers.Binary;
using System.Text;

namespace Ssti.Nets.Native;

/// <summary>The symbol versions that a 64-bit little-endian ELF library asks of the libraries it needs (section .gnu.version_r).</summary>
/// <remarks>Source: System V gABI, chapters 4 and 5; LSB Core, "Symbol Versioning". Every offset is checked against the file's length.</remarks>
internal sealed class ElfVersionNeeds
{
    private const uint SectionDynamicSymbols = 11;      // SHT_DYNSYM
    private const uint SectionVersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const uint SectionVersionTable = 0x6fffffff; // SHT_GNU_versym
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const ushort Weak = 2;                       // VER_FLG_WEAK

    private readonly byte[] _file;
    private readonly string _name;

    /// <summary>Reads the tables of a library's bytes.</summary>
    /// <exception cref="LibTorchException">The bytes are no such library, or its tables lead out of the file.</exception>
    public ElfVersionNeeds(byte[] file, string name)
    {
        (_file, _name) = (file, name);
        if (file.Length < 64 || !file.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || file[4] != 2 || file[5] != 1)
            throw Damaged("it is not a 64-bit little-endian ELF file");
        Needs = ReadNeeds();
    }

    /// <summary>One version asked of one library: the symbols that ask for it, and where its flags stand in the file.</summary>
    public sealed record Need(string Library, string Version, IReadOnlyList<string> Symbols, bool IsWeak, int FlagsOffset);

    /// <summary>All versions asked for, in file order.</summary>
    public IReadOnlyList<Need> Needs { get; }

    /// <summary>The file's bytes with one need marked weak: the loader then no longer refuses the file when the version is missing.</summary>
    public static byte[] Weaken(byte[] file, IEnumerable<Need> needs)
    {
        var copy = file.ToArray();
        foreach (var need in needs)
        {
            var flags = copy.AsSpan(need.FlagsOffset, 2);
            BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | Weak));
        }

        return copy;
    }

    private List<Need> ReadNeeds()
    {
        var sections = ReadSections();
        var versions = sections.FirstOrDefault(s => s.Type == SectionVersionNeeds);
        if (versions.Size == 0) return [];
        var symbolsByVersion = ReadSymbols(sections).ToLookup(s => s.Version, s => s.Name);
        var strings = Section(sections, versions.Link);
        var needs = new List<Need>();
        var entry = versions.Offset;
        for (var i = 0u; i < versions.Info; i++)
        {
            var library = Text(strings, U32(entry + 4));
            var auxiliary = checked(entry + (int)U32(entry + 8));
            for (var j = 0; j < U16(entry + 2); j++)
            {
                var flags = U16(auxiliary + 4);
                var index = U16(auxiliary + 6) & 0x7fff;
                needs.Add(new Need(library, Text(strings, U32(auxiliary + 8)), [.. symbolsByVersion[index]], (flags & Weak) != 0, auxiliary + 4));
                auxiliary = checked(auxiliary + (int)U32(auxiliary + 12));
            }

            entry = checked(entry + (int)U32(entry + 12));
        }

        return needs;
    }

    private IEnumerable<(int Version, string Name)> ReadSymbols(List<SectionHeader> sections)
    {
        var symbols = sections.FirstOrDefault(s => s.Type == SectionDynamicSymbols);
        var table = sections.FirstOrDefault(s => s.Type == SectionVersionTable);
        if (symbols.Size == 0 || table.Size == 0) throw Damaged("it has no dynamic symbol table with versions");
        var strings = Section(sections, symbols.Link);
        for (var i = 0; i < symbols.Size / SymbolSize; i++)
        {
            var symbol = symbols.Offset + i * SymbolSize;
            if (U16(symbol + 6) != 0) continue; // defined here, so not asked of another library
            yield return (U16(table.Offset + 2 * i) & 0x7fff, Text(strings, U32(symbol)));
        }
    }

    private List<SectionHeader> ReadSections()
    {
        var (offset, size, count) = (Place(40), U16(58), U16(60));
        if (count == 0 || size != SectionHeaderSize) throw Damaged("it has no section table");
        var sections = new List<SectionHeader>(count);
        for (var i = 0; i < count; i++)
        {
            var at = checked(offset + i * SectionHeaderSize);
            sections.Add(new SectionHeader(U32(at + 4), Place(at + 24), Place(at + 32), (int)U32(at + 40), U32(at + 44)));
        }

        return sections;
    }

    private readonly record struct SectionHeader(uint Type, int Offset, int Size, int Link, uint Info);

    private SectionHeader Section(List<SectionHeader> sections, int index) =>
        index >= 0 && index < sections.Count ? sections[index] : throw Damaged("a section points to one that does not exist");

    private string Text(SectionHeader strings, uint offset)
    {
        var start = checked(strings.Offset + (int)offset);
        if (start < 0 || start >= _file.Length) throw Damaged("a name lies outside the file");
        var rest = _file.AsSpan(start);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? throw Damaged("a name has no end") : Encoding.ASCII.GetString(rest[..end]);
    }

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(at, 2));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(at, 4));

    private int Place(int at)
    {
        var value = BinaryPrimitives.ReadUInt64LittleEndian(Bytes(at, 8));
        // A section without bytes in the file (.bss) may claim any size; the readers above check what they use.
        return value <= int.MaxValue ? (int)value : throw Damaged("an offset lies outside the file");
    }

    private ReadOnlySpan<byte> Bytes(int at, int count) =>
        at >= 0 && at <= _file.Length - count ? _file.AsSpan(at, count) : throw Damaged("a table leads out of the file");

    private LibTorchException Damaged(string why) =>
        new($"cannot read '{_name}': {why}. Restore the packages again (dotnet nuget locals all --clear, then dotnet restore).");
}
