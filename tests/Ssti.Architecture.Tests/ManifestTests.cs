using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Tests;

namespace Ssti.Architecture.Tests;

/// <summary>
/// Holds <c>aspire-manifest.json</c> to the AppHost's source, without Aspire: the names, environment and bindings of what it deploys. When this fails, publish it
/// again: <c>dotnet run --project AppHost -- --publisher manifest --output-path ../aspire-manifest.json</c>.
/// </summary>
public sealed partial class ManifestTests
{
    private static readonly JsonObject Resources = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "aspire-manifest.json")))!["resources"]!.AsObject();

    private static readonly string Source = File.ReadAllText(Path.Combine(Repository.Root, "AppHost", "AppHost.cs"));

    /// <summary>The part of the source that describes containers: what is deployed. The others are for a machine without an engine.</summary>
    private static readonly string Containers = Source.Split("Cluster Containers()")[1].Split("Cluster LocalRedis(")[0];

    /// <summary>What Aspire gives every ASP.NET project, and every one with a reference to Redis.</summary>
    private static readonly string[] AspiresOwn =
    [
        "OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "OTEL_DOTNET_EXPERIMENTAL_OTLP_EMIT_EXCEPTION_LOG_ATTRIBUTES", "OTEL_DOTNET_EXPERIMENTAL_OTLP_EMIT_EVENT_LOG_ATTRIBUTES",
        "ASPNETCORE_FORWARDEDHEADERS_ENABLED", "HTTP_PORTS", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_URI",
    ];

    [Fact]
    public void The_services_are_those_of_the_source_and_their_projects_exist()
    {
        var source = Projects().Matches(Source).Select(match => (Name: match.Groups["name"].Value, Path: PathOf(match.Groups["project"].Value))).Order();
        Assert.Equal(4, source.Count());
        Assert.Equal(source, Named("project.v0").Select(resource => (resource.Key, (string)resource.Value!["path"]!)).Order());
    }

    [Fact]
    public void Containers_and_parameters_are_those_of_the_source()
    {
        var containers = Container().Matches(Containers).Select(match => match.Groups["name"].Value).Append(Single(Redis(), Containers));
        Assert.Equal(containers.Order(), Named("container.v0").Select(resource => resource.Key).Order());
        var minio = Container().Match(Containers);
        Assert.Equal($"{minio.Groups["image"].Value}:{minio.Groups["tag"].Value}", (string?)Resources["minio"]!["image"]);
        Assert.Equal(
            Strings().Matches(Single(Arguments(), Containers)).Select(match => match.Groups[1].Value),
            Resources["minio"]!["args"]!.AsArray().Select(argument => (string?)argument));
        var volume = Volume().Match(Containers);
        var mounted = Assert.Single(Resources["minio"]!["volumes"]!.AsArray())!;
        Assert.Equal((volume.Groups["name"].Value, volume.Groups["target"].Value), ((string?)mounted["name"], (string?)mounted["target"]));

        // Redis brings a password of its own.
        var parameters = Parameters().Matches(Containers).ToDictionary(match => match.Groups["name"].Value, match => int.Parse(match.Groups["length"].Value));
        Assert.Equal(parameters.Keys.Append("redis-password").Order(), Named("parameter.v0").Select(resource => resource.Key).Order());
        Assert.All(Named("parameter.v0"), parameter => Assert.True((bool)parameter.Value!["inputs"]!["value"]!["secret"]!));
        Assert.All(parameters, parameter => Assert.Equal(parameter.Value, (int)Resources[parameter.Key]!["inputs"]!["value"]!["default"]!["generate"]!["minLength"]!));
    }

    [Fact]
    public void The_environment_is_that_of_the_source()
    {
        var service = Containers[Containers.IndexOf("service => service", StringComparison.Ordinal)..];
        var expected = Environment(service);
        expected.Add("ConnectionStrings__redis", "{redis.connectionString}");
        Assert.Contains(".WithReference(redis)", service);
        foreach (var (name, project) in Named("project.v0"))
        {
            var environment = project!["env"]!.AsObject().Where(entry => !AspiresOwn.Contains(entry.Key)).ToDictionary(entry => entry.Key, entry => (string)entry.Value!);
            Assert.True(
                expected.OrderBy(entry => entry.Key).SequenceEqual(environment.OrderBy(entry => entry.Key)),
                $"{name}: {string.Join(", ", environment)} and not {string.Join(", ", expected)}");
        }

        var minio = Environment(Containers[..Containers.IndexOf("service => service", StringComparison.Ordinal)]);
        var environmentOfMinio = Resources["minio"]!["env"]!.AsObject().ToDictionary(entry => entry.Key, entry => (string)entry.Value!);
        Assert.Equal(minio.OrderBy(entry => entry.Key), environmentOfMinio.OrderBy(entry => entry.Key));
    }

    [Fact]
    public void The_bindings_are_those_of_the_source()
    {
        Assert.Equal(
            Endpoints().Matches(Containers).Select(match => (match.Groups["name"].Value, int.Parse(match.Groups["port"].Value))).Order(),
            Resources["minio"]!["bindings"]!.AsObject().Select(binding => (binding.Key, (int)binding.Value!["targetPort"]!)).Order());
        Assert.Equal(4, HttpOfServices().Count(Source));
        Assert.All(Named("project.v0"), project => Assert.Equal(["http"], project.Value!["bindings"]!.AsObject().Select(binding => binding.Key)));
    }

    /// <summary>Nothing but the AppHost itself and its tests may need Aspire, since feeds lack it.</summary>
    [Theory]
    [InlineData("AppHost\\AppHost.csproj")]
    [InlineData("tests\\Ssti.AppHost.Tests\\Ssti.AppHost.Tests.csproj")]
    public void The_solution_lists_what_needs_Aspire_and_does_not_build_it(string project)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "SstiPipeline.sln"));
        var id = Id().Match(lines.Single(line => line.Contains($"\"{project}\"", StringComparison.Ordinal))).Value;
        var mentions = lines.Where(line => line.Contains(id, StringComparison.Ordinal)).ToList();
        Assert.Contains(mentions, line => line.Contains("Release|Any CPU.ActiveCfg", StringComparison.Ordinal));
        Assert.DoesNotContain(mentions, line => line.Contains(".Build.0", StringComparison.Ordinal));
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Named(string type) => Resources.Where(resource => (string?)resource.Value!["type"] == type);

    private static string Single(Regex regex, string text) => Assert.Single(regex.Matches(text)).Groups[1].Value;

    // Projects.Ssti_DataPrep is what Aspire makes of Ssti.DataPrep.csproj.
    private static string PathOf(string project)
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "src", "services"), project.Replace('_', '.') + ".csproj", SearchOption.AllDirectories);
        return Path.GetRelativePath(Repository.Root, Assert.Single(files)).Replace('\\', '/');
    }

    private static Dictionary<string, string> Environment(string source)
    {
        var variables = Parameters().Matches(Containers).ToDictionary(match => match.Groups["variable"].Value, match => $"{{{match.Groups["name"].Value}.value}}");
        variables.Add("minio.GetEndpoint(\"http\")", "{minio.bindings.http.url}");
        return EnvironmentCalls().Matches(source).ToDictionary(
            match => match.Groups["name"].Value,
            match => variables.TryGetValue(match.Groups["value"].Value, out var expression) ? expression : match.Groups["value"].Value.Trim('"'));
    }

    [GeneratedRegex("""AddProject<Projects\.(?<project>\w+)>\("(?<name>[^"]+)",""")]
    private static partial Regex Projects();

    [GeneratedRegex("""AddContainer\("(?<name>[^"]+)", "(?<image>[^"]+)", "(?<tag>[^"]+)"\)""")]
    private static partial Regex Container();

    [GeneratedRegex("""AddRedis\("([^"]+)"\)""")]
    private static partial Regex Redis();

    [GeneratedRegex("""var (?<variable>\w+) = builder\.AddParameter\("(?<name>[^"]+)", .*MinLength = (?<length>\d+).*secret: true""")]
    private static partial Regex Parameters();

    [GeneratedRegex("""\.WithArgs\((.*)\)""")]
    private static partial Regex Arguments();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Strings();

    [GeneratedRegex("""\.WithVolume\("(?<name>[^"]+)", "(?<target>[^"]+)"\)""")]
    private static partial Regex Volume();

    [GeneratedRegex("""\.WithEnvironment\("(?<name>[^"]+)", (?<value>"[^"]*"|\w+|\w+\.GetEndpoint\("\w+"\))\)""")]
    private static partial Regex EnvironmentCalls();

    [GeneratedRegex("""\.WithHttpEndpoint\(targetPort: (?<port>\d+), name: "(?<name>[^"]+)"\)""")]
    private static partial Regex Endpoints();

    [GeneratedRegex("""\.WithHttpEndpoint\(name: "http"\)\.WithHttpHealthCheck\("/health"\)""")]
    private static partial Regex HttpOfServices();

    [GeneratedRegex(@"(?<="")\{[0-9A-F-]{36}\}(?=""$)")]
    private static partial Regex Id();
}
