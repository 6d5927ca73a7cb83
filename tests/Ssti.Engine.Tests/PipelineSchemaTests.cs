using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Engine.Pipelines;

namespace Ssti.Engine.Tests;

public sealed class PipelineSchemaTests
{
    private readonly JsonNode _schema = JsonNode.Parse(PipelineSchema.Of(TestKinds.Catalog()).ToJsonString())!;

    [Fact]
    public void Every_kind_has_its_parameters_with_defaults_and_descriptions()
    {
        var with = _schema["$defs"]!["text"]!["properties"]!["with"]!;

        Assert.Equal(["text"], with["required"]!.AsArray().Select(n => (string)n!));
        Assert.Equal("what to write", (string)with["properties"]!["text"]!["description"]!);
        Assert.Equal(8, (int)with["properties"]!["rank"]!["default"]!);
        Assert.Equal("integer", (string)with["properties"]!["rank"]!["anyOf"]![0]!["type"]!);
        Assert.Equal(["lower-case", "upper-case"], with["properties"]!["letter"]!["anyOf"]![0]!["enum"]!.AsArray().Select(n => (string)n!));
        Assert.Equal("how often", (string)with["properties"]!["nested"]!["properties"]!["times"]!["description"]!);
    }

    [Fact]
    public void Every_reference_leads_somewhere() =>
        Assert.All(Regex.Matches(_schema.ToJsonString(), "\"#/\\$defs/([^\"]+)\""), match => Assert.NotNull(_schema["$defs"]![match.Groups[1].Value]));

    [Fact]
    public void A_profile_has_parameters_and_a_description_and_nothing_else()
    {
        var profile = _schema["properties"]!["profiles"]!["additionalProperties"]!;

        Assert.Equal(["description", "params"], profile["properties"]!.AsObject().Select(property => property.Key));
        Assert.False((bool)profile["additionalProperties"]!);
    }

    [Fact]
    public void A_kind_says_what_it_needs()
    {
        var stage = _schema["$defs"]!["join"]!;

        Assert.Equal(["uses", "needs"], stage["required"]!.AsArray().Select(n => (string)n!));
        Assert.Equal("texts", (string)stage["properties"]!["needs"]!["properties"]!["parts"]!["description"]!);
        Assert.Equal(["parts"], stage["properties"]!["needs"]!["required"]!.AsArray().Select(n => (string)n!));
    }
}
