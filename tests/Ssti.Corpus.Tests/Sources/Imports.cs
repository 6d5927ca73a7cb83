using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>A folder of files to import, and what an import said.</summary>
internal sealed class Imports : IDisposable
{
    private readonly TempFolder _folder = new();

    public List<string> Log { get; } = [];

    public List<string> Warnings { get; } = [];

    public void Dispose() => _folder.Dispose();

    public string this[string relative] => _folder["in/" + relative];

    /// <summary>Writes files: name, content, name, content, …</summary>
    public Imports With(params string[] files)
    {
        for (var file = 0; file < files.Length; file += 2) _folder.Write("in/" + files[file], files[file + 1]);
        return this;
    }

    /// <summary>Imports the folder, or one file of it as the whole source.</summary>
    public async Task<DatasetReader> RunAsync(ImportOptions? options = null, string? file = null)
    {
        Log.Clear();
        Warnings.Clear();
        var output = _folder["out/" + Guid.NewGuid().ToString("n")];
        var source = new LocalFolder(Path.Combine(_folder.Root, "in", file ?? ""));
        await new DatasetImporter(source, options ?? new ImportOptions { Name = "x" }, null, Log.Add, Warnings.Add).ImportAsync(output, CancellationToken.None);
        return DatasetReader.OpenFolder(output);
    }

    /// <summary>The message of an import that is refused.</summary>
    public async Task<string> FailAsync(ImportOptions? options = null, string? file = null) =>
        (await Assert.ThrowsAsync<CorpusException>(() => RunAsync(options, file))).Message;

    /// <summary>A split's rows as <c>text/label's name</c>, in order.</summary>
    public static string[] Of(DatasetReader dataset, string split) => [.. dataset.Read(split).Select(row => $"{row.Text}/{dataset.Info.Labels[row.Label]}")];
}
