using System.CommandLine;
using Ssti.Cli.Commands;
using Ssti.Corpus.Sources;

namespace Ssti.Cli.Fit;

/// <summary>The texts that 'predict' is given: a file, or standard input.</summary>
internal sealed class TextSource : IDisposable
{
    private readonly IEnumerable<TextRow> _rows;
    private readonly string? _spooled;
    private readonly bool _live;

    private TextSource(IEnumerable<TextRow> rows, string? spooled = null, bool live = false) => (_rows, _spooled, _live) = (rows, spooled, live);

    /// <summary>The texts some at a time, read as they are taken: of a file as many as there may be, of standard input those that are there.</summary>
    /// <param name="most">Rows at a time.</param>
    /// <param name="cancellation">Ends a wait for standard input.</param>
    public IEnumerable<IReadOnlyList<TextRow>> Windows(int most, CancellationToken cancellation) =>
        _live ? RowWindows.AsTheyCome(_rows, most, cancellation) : RowWindows.Full(_rows, most);

    /// <summary>Opens what the command line names.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="named">The file; null or <c>-</c> for standard input.</param>
    /// <param name="usualText">The column of the text where none is named.</param>
    /// <exception cref="UserException">There is no such file, or its format cannot be told.</exception>
    public static TextSource Open(CliHost host, ParseResult parsed, string? named, string? usualText)
    {
        var (format, options) = (parsed.GetValue(RowOptions.Format), RowOptions.Of(parsed, usualText));
        if (named is null or "-")
        {
            if (format is null or "lines") return new(TextRows.Lines(host.Input(), "standard input", options.Encoding), live: true);
            // Readers of tables look at a file's beginning first, which a pipe does not give twice. On disk, not in memory.
            var path = Path.Combine(Path.GetTempPath(), $"ssti-input-{Guid.NewGuid():n}.{format}");
            using (var file = File.Create(path))
            using (var input = host.Input()) input.CopyTo(file);
            return new(TextRows.Read(path, format, options), path);
        }

        var full = Path.GetFullPath(named, host.WorkingFolder);
        if (Directory.Exists(full)) throw new UserException($"'{named}' is a folder; name a file of texts");
        if (!File.Exists(full)) throw new UserException($"there is no file '{named}'");
        return new(TextRows.Read(full, format ?? TextRows.FormatOf(full)
            ?? throw new UserException(
                $"the format of '{named}' cannot be told from its name; say it with {RowOptions.Format.Name} ({string.Join(", ", TextRows.Formats)})"),
            options));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_spooled is not null) File.Delete(_spooled);
    }
}
