using System.Globalization;
using System.Text;
using System.Text.Json;
using Ssti.Corpus.Sources;
using Ssti.Engine.Pipelines;
using Ssti.Store.Files;

namespace Ssti.Cli.Fit;

/// <summary>The pipeline that 'fit' writes and runs: an ordinary one, to be read, changed and run again.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Name">Its name.</param>
/// <param name="Source">The data, as an absolute path.</param>
/// <param name="Model">The model, as an absolute path or a URI.</param>
internal sealed record FitPipeline(string Path, string Name, string Source, string Model)
{
    // What stands in an ssti.local.yaml beside it for other pipelines, such as backbone.source, is to be nothing of this one.
    public const string Data = "fit-data", Rows = "fit-rows", Backbone = "fit-base", Tuned = "fitted", Measured = "fit-measured", Overall = "fit-overall",
        ByClass = "fit-by-class", Page = "fit-report";

    private const string Mark = "# Written by 'ssti fit'";

    /// <summary>What tables call the data.</summary>
    public required string Title { get; init; }

    /// <summary>The device; null for auto.</summary>
    public string? Device { get; init; }

    /// <summary>How the data are read.</summary>
    public required ImportOptions Import { get; init; }

    /// <summary>Splits that the data have.</summary>
    public required IReadOnlyList<string> Splits { get; init; }

    /// <summary>What is held out of train, with its share.</summary>
    public required IReadOnlyList<(string Name, double Share)> HeldOut { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>The file with what is so on this machine only, beside the pipeline.</summary>
    public string LocalPath => System.IO.Path.ChangeExtension(Path, ".local.yaml");

    /// <summary>Whether a file that is there is one of these, and may be written anew.</summary>
    public static bool IsOwn(string path) => File.ReadLines(path).FirstOrDefault()?.StartsWith(Mark, StringComparison.Ordinal) == true;

    /// <summary>Writes it: with the choices the whole of it, without them what has to be known before anything can be chosen.</summary>
    public async Task WriteAsync(FitChoice? choice, CancellationToken cancellation)
    {
        var local = new StringBuilder();
        var text = Text(choice, local);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        if (local.Length > 0)
        {
            await OutputFile.WriteAsync(
                LocalPath, $"{Mark}: paths of this machine, for {System.IO.Path.GetFileName(Path)} beside it.\nset:\n{local}", cancellation);
        }
        else if (File.Exists(LocalPath) && IsOwn(LocalPath)) File.Delete(LocalPath);
        await OutputFile.WriteAsync(Path, text, cancellation);
    }

    private string Text(FitChoice? choice, StringBuilder local)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Mark}, which writes it anew; copy it to change it. 'ssti run' gives the same from it.\nname: {Name}\nseed: {Seed}\n");
        if (Device is not null) text.Append($"compute: {{ device: {Device} }}\n");
        text.Append(
            $"\nstages:\n  {Data}:\n    uses: dataset\n    with:\n      source: {Place(Data, Source, local)}\n      name: {Quoted(Title)}\n"
            + $"      splits: [{string.Join(", ", Splits)}]\n");
        if (Import.Fields is var fields && (fields.Text ?? fields.Label) is not null)
        {
            var named = new[] { ("text", fields.Text), ("label", fields.Label) }.Where(field => field.Item2 is not null).Select(field => $"{field.Item1}: {Quoted(field.Item2!)}");
            text.Append($"      fields: {{ {string.Join(", ", named)} }}\n");
        }

        if (Import.Encoding is { } encoding) text.Append($"      encoding: {encoding}\n");
        if (Import.Delimiter is { } delimiter) text.Append($"      delimiter: {Quoted(delimiter == '\t' ? "\\t" : delimiter.ToString())}\n");
        if (!Import.Header) text.Append("      header: false\n");
        if (Import.Quotes is { } quotes) text.Append($"      quotes: {(quotes ? "true" : "false")}\n");
        if (Import.Labels.Count > 0) text.Append($"      labels: [{string.Join(", ", Import.Labels.Select(Quoted))}]\n");
        if (HeldOut.Count > 0)
        {
            var into = string.Join(", ", HeldOut.Select(split => string.Create(CultureInfo.InvariantCulture, $"{{ name: {split.Name}, share: {split.Share} }}")));
            text.Append(
                $"\n  {Rows}:\n    uses: split\n    needs: {{ data: {Data} }}\n    seed: {Seed.ToString(CultureInfo.InvariantCulture)}\n"
                + $"    with: {{ from: train, into: [{into}] }}\n");
        }

        text.Append($"\n  {Backbone}:\n    uses: model\n    with:\n      source: {Place(Backbone, Model, local)}\n");
        if (choice is not null) Training(text, choice);
        return text.ToString();
    }

    private void Training(StringBuilder text, FitChoice choice)
    {
        var rows = HeldOut.Count > 0 ? Rows : Data;
        var c = CultureInfo.InvariantCulture;
        text.Append(c, $"\n  {Tuned}:\n    uses: train\n    needs: {{ data: {rows}, model: {Backbone} }}\n    seed: {Seed}\n    with:\n");
        text.Append(choice.Train == "adapter" ? string.Create(c, $"      rank: {choice.Rank}\n      alpha: {2 * choice.Rank}\n") : $"      train: {choice.Train}\n");
        text.Append(c, $"      train-head: true\n      max-length: {choice.MaxLength}\n      steps: {choice.Steps}\n      batch-size: {choice.BatchSize}\n");
        text.Append(c, $"      optimizer: adam-w\n      learning-rate: {choice.LearningRate}\n      weight-decay: 0.01\n");
        if (choice.Balanced) text.Append("      class-weights: balanced\n");
        text.Append(c, $"      validation: {{ split: validation, every: {choice.Every}, patience: {choice.Patience} }}\n");
        text.Append($"\n  {Measured}:\n    uses: evaluate\n    needs: {{ model: {Backbone}, adapter: {Tuned}, clean: {rows} }}\n    with: {{ split: test }}\n");
        text.Append($"\n  {Overall}:\n    uses: table\n    needs: {{ evaluations: {Measured} }}\n    with: {{ title: {Quoted($"{Title}: the test rows")}, layout: metrics }}\n");
        text.Append(
            $"\n  {ByClass}:\n    uses: table\n    needs: {{ evaluations: {Measured} }}\n"
            + $"    with: {{ title: {Quoted($"{Title}: the test rows, by class")}, layout: per-class }}\n");
        text.Append($"\n  {Page}:\n    uses: report\n    needs: {{ parts: [{Overall}, {ByClass}, {Measured}] }}\n");
        text.Append($"    with: {{ title: {Quoted(Title)}, lead: \"Measured on rows that were neither trained on nor chosen by.\" }}\n");
    }

    // A path within the repository as the pipeline may have it; any other goes into the file of this machine.
    private string Place(string stage, string source, StringBuilder local)
    {
        if (source.Contains("://", StringComparison.Ordinal)) return Quoted(source);
        var folder = System.IO.Path.GetDirectoryName(Path)!;
        var root = FolderWalk.RealPath(ProjectFolder.Of(folder) ?? folder);
        if (FolderWalk.RealPath(source).StartsWith(root.TrimEnd('/') + '/', StringComparison.Ordinal) && source.StartsWith(root.TrimEnd('/') + '/', StringComparison.Ordinal))
            return Quoted(System.IO.Path.GetRelativePath(folder, source));
        local.Append($"  {stage}.source: {Quoted(source)}\n");
        return $"{Quoted(System.IO.Path.GetFileName(source))}   # outside of the repository: {System.IO.Path.GetFileName(LocalPath)} says where on this machine";
    }

    // A JSON string is a YAML one; an expression in it would be one to a pipeline as well.
    private static string Quoted(string text) => text.Contains("${{", StringComparison.Ordinal)
        ? throw new UserException($"'{text}' cannot stand in a pipeline: ${{{{ begins an expression there; rename the file or column")
        : JsonSerializer.Serialize(text, Plain);

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
