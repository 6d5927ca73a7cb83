using System.Xml.Linq;
using Ssti.Tests;

namespace Ssti.Architecture.Tests;

/// <summary>
/// Holds the doors between the rooms: which project may see which, and which may see a heavy library.
/// Read from the project files, since what a project does not reference it cannot use.
/// </summary>
public sealed class DoorsTests
{
    /// <summary>Every room and the rooms it may see. A new room, or a new door, is a decision that is written here.</summary>
    private static readonly Dictionary<string, string[]> Doors = new()
    {
        ["Ssti.Store"] = [],
        ["Ssti.Store.S3"] = ["Ssti.Store"],
        ["Ssti.Signing"] = ["Ssti.Store"],
        ["Ssti.Engine"] = ["Ssti.Store"],
        ["Ssti.Corpus"] = [],
        ["Ssti.Injection"] = ["Ssti.Corpus"],
        ["Ssti.Nets"] = [],
        ["Ssti.Training"] = ["Ssti.Nets", "Ssti.Corpus"],
        ["Ssti.Defenses"] = ["Ssti.Corpus", "Ssti.Nets", "Ssti.Training"],
        ["Ssti.Reporting"] = [],
        ["Ssti.Telemetry"] = ["Ssti.Engine"],
        ["Ssti.Stages"] = ["Ssti.Engine", "Ssti.Corpus", "Ssti.Injection", "Ssti.Nets", "Ssti.Training", "Ssti.Defenses", "Ssti.Reporting"],
        ["Ssti.Cluster"] = ["Ssti.Engine", "Ssti.Signing", "Ssti.Store", "Ssti.Store.S3", "Ssti.Telemetry"],
        ["Ssti.DataPrep"] = ["Ssti.Cluster", "Ssti.Stages"],
        ["Ssti.InjectionService"] = ["Ssti.Cluster", "Ssti.Stages"],
        ["Ssti.TrainingService"] = ["Ssti.Cluster", "Ssti.Stages"],
        ["Ssti.EvaluationService"] = ["Ssti.Cluster", "Ssti.Stages"],
        ["Ssti.Cli"] = [
            "Ssti.Stages", "Ssti.Cluster", "Ssti.Signing", "Ssti.Telemetry", "Ssti.Engine", "Ssti.Store", "Ssti.Store.S3", "Ssti.Nets",
            "Ssti.Reporting", "Ssti.Corpus"],
    };

    /// <summary>Libraries that only some rooms may bring in.</summary>
    private static readonly Dictionary<string, string[]> Heavy = new()
    {
        ["TorchSharp"] = ["Ssti.Nets"],
        ["libtorch"] = ["Ssti.Nets"],
        ["NSec"] = ["Ssti.Signing"],
        ["AWSSDK"] = ["Ssti.Store.S3"],
        ["Microsoft.Orleans"] = ["Ssti.Cluster"],
        ["Aspire"] = [],
        ["OpenTelemetry"] = ["Ssti.Telemetry"],
        ["Spectre.Console"] = ["Ssti.Cli"],
        ["System.CommandLine"] = ["Ssti.Cli"],
        // Pipelines, and the cards of data sets.
        ["YamlDotNet"] = ["Ssti.Engine", "Ssti.Corpus"],
        ["ScottPlot"] = ["Ssti.Reporting"],
        ["NuGet.Protocol"] = ["Ssti.Corpus"],
        ["AngleSharp"] = ["Ssti.Corpus"],
    };

    private static readonly Dictionary<string, XDocument> Projects = Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => XDocument.Load(path));

    [Fact]
    public void Every_room_is_on_the_map() => Assert.Equal(Doors.Keys.Order(), Projects.Keys.Order());

    [Fact]
    public void A_room_sees_only_the_rooms_its_doors_lead_to()
    {
        var wrong = from room in Doors.Keys
                    from seen in References(room, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))
                    where !Doors[room].Contains(seen)
                    select $"{room} -> {seen}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_heavy_library_comes_in_through_one_room()
    {
        var wrong = from room in Projects.Keys
                    from package in References(room, "PackageReference")
                    from heavy in Heavy
                    where package.StartsWith(heavy.Key, StringComparison.Ordinal) && !heavy.Value.Contains(room)
                    select $"{room} -> {package}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_doors_form_no_circle()
    {
        var open = new HashSet<string>();
        foreach (var room in Doors.Keys) Walk(room, []);

        void Walk(string room, string[] path)
        {
            Assert.DoesNotContain(room, path);
            if (!open.Add(room)) return;
            foreach (var next in Doors[room]) Walk(next, [.. path, room]);
        }
    }

    [Fact]
    public void Tensors_stay_out_of_sight_of_engine_corpus_injection_and_reporting()
    {
        foreach (var room in new[] { "Ssti.Engine", "Ssti.Corpus", "Ssti.Injection", "Ssti.Reporting", "Ssti.Store" })
        {
            Assert.DoesNotContain("Ssti.Nets", Closure(room));
        }
    }

    [Fact]
    public void Corpus_injection_nets_and_reporting_never_see_the_engine()
    {
        foreach (var room in new[] { "Ssti.Corpus", "Ssti.Injection", "Ssti.Nets", "Ssti.Training", "Ssti.Reporting" })
        {
            Assert.DoesNotContain("Ssti.Engine", Closure(room));
        }
    }

    private static IEnumerable<string> References(string room, string kind) =>
        Projects[room].Descendants(kind).Select(reference => (string?)reference.Attribute("Include") ?? (string)reference.Attribute("Update")!);

    private static HashSet<string> Closure(string room)
    {
        var seen = new HashSet<string>();
        void Add(string name)
        {
            foreach (var next in Doors[name]) if (seen.Add(next)) Add(next);
        }

        Add(room);
        return seen;
    }
}
