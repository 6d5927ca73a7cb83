using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ssti.Cli.Fit;

/// <summary><c>fit.json</c> in a fitted model's folder: what 'predict' has to know beside the training's own files.</summary>
/// <param name="Schema">Of this file.</param>
/// <param name="Model">The pretrained model's source: a URI with the revision it was read at, or a local path, relative to the folder where it is not absolute.</param>
/// <param name="Base">The tree of the pretrained model in the store that the fit ran on.</param>
/// <param name="Text">The column of the text; null in formats without columns.</param>
/// <param name="Label">The column of the label; null in formats without columns.</param>
/// <param name="Pipeline">The pipeline's file, as it was named.</param>
/// <param name="Run">The run that made it.</param>
internal sealed record FitFile(int Schema, string Model, string Base, string? Text, string? Label, string Pipeline, string Run)
{
    /// <summary>The file's name.</summary>
    public const string Name = "fit.json";

    private const int CurrentSchema = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, RespectNullableAnnotations = true,
    };

    /// <summary>A description of this version.</summary>
    public static FitFile Of(string model, string tree, string? text, string? label, string pipeline, string run) => new(CurrentSchema, model, tree, text, label, pipeline, run);

    /// <summary>Reads it; null where the folder has none.</summary>
    /// <exception cref="UserException">It is none of this version, or damaged.</exception>
    public static FitFile? Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return null;
        try
        {
            var file = JsonSerializer.Deserialize<FitFile>(File.ReadAllText(path), Json) ?? throw new JsonException("it is null");
            return file.Schema == CurrentSchema ? file
                : throw new UserException($"{path} has schema {file.Schema}, and this version reads {CurrentSchema}: fit again, or give the base with --model and remove the file");
        }
        catch (JsonException error)
        {
            throw new UserException($"{path} cannot be read: {error.Message}");
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";
}
