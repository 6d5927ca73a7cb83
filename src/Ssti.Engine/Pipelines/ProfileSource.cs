using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>What files say of profiles: by name, the parameters that each sets. Files that include others are read first, and what they say holds.</summary>
internal sealed class ProfileSource(DiagnosticBag diagnostics)
{
    private static readonly string[] Keys = ["description", "params"];
    private readonly OrderedDictionary<string, Profile> _profiles = [];

    /// <summary>The names with their descriptions, in the order in which they are read.</summary>
    public IReadOnlyDictionary<string, string?> Names => new OrderedDictionary<string, string?>(
        _profiles.Select(profile => KeyValuePair.Create(profile.Key, profile.Value.Description)));

    /// <summary>Takes the <c>profiles:</c> of a file.</summary>
    public void Take(YamlNode node, int depth)
    {
        if (node is YamlScalar { IsNull: true }) return;
        if (node is not YamlMapping profiles)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'profiles' must be a mapping of names to profiles, not {node.Described}",
                "such as 'profiles: { smoke: { params: { steps: 30 } } }'");
            return;
        }

        foreach (var (name, body) in profiles.Entries)
        {
            if (!Pipelines.Names.IsStage(name.Text))
            {
                diagnostics.Error(DiagnosticCodes.BadName, name.Where, $"'{name.Text}' cannot name a profile", $"a name is {Pipelines.Names.StageRule}");
                continue;
            }

            if (!_profiles.TryGetValue(name.Text, out var profile)) _profiles.Add(name.Text, profile = new Profile());
            if (body is YamlMapping mapping) Take(profile, name.Text, mapping, depth);
            // One that sets nothing gives the file's own values a name.
            else if (body is not YamlScalar { IsNull: true })
                diagnostics.Error(
                    DiagnosticCodes.WrongType, body.Where, $"the profile '{name.Text}' must be a mapping, not {body.Described}",
                    "it has 'params:' and 'description:'");
        }
    }

    /// <summary>Tells of every parameter that a profile sets and the pipeline does not have, whichever profile is asked for.</summary>
    public void Check(IReadOnlyDictionary<string, YamlNode> parameters)
    {
        foreach (var (name, profile) in _profiles)
        {
            foreach (var (key, _, _) in profile.Values.Values)
            {
                if (!parameters.ContainsKey(key.Text)) diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where,
                    "parameter", key.Text, parameters.Keys, $"parameters that the profile '{name}' may set");
            }
        }
    }

    /// <summary>Puts a profile's values in the place of the pipeline's; an error when there is no such profile.</summary>
    public void Apply(string name, PipelineSource source)
    {
        if (!_profiles.TryGetValue(name, out var profile))
        {
            diagnostics.Unknown(DiagnosticCodes.UnknownProfile, new SourceLocation($"--profile {name}", 0, 0), "profile", name, _profiles.Keys, "profiles of this pipeline");
            return;
        }

        foreach (var (key, value, _) in profile.Values.Values) source.Override(key.Text, value);
    }

    private void Take(Profile profile, string name, YamlMapping body, int depth)
    {
        foreach (var (key, value) in body.Entries)
        {
            switch (key.Text)
            {
                case "description": profile.Description ??= (value as YamlScalar)?.Text; break;
                case "params": TakeParameters(profile, name, value, depth); break;
                case "compute" or "seed" or "stages":
                    diagnostics.Error(DiagnosticCodes.UnknownKey, key.Where, $"a profile changes parameters only, not '{key.Text}'",
                        $"give '{key.Text}' a parameter, as in compute: {{ dtype: \"${{{{ params.dtype }}}}\" }}, and set that");
                    break;
                default: diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where, "key", key.Text, Keys, "keys of a profile"); break;
            }
        }
    }

    private void TakeParameters(Profile profile, string name, YamlNode node, int depth)
    {
        if (node is YamlScalar { IsNull: true }) return;
        if (node is not YamlMapping mapping)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'params' must be a mapping of names to values, not {node.Described}");
            return;
        }

        foreach (var (key, value) in mapping.Entries)
        {
            if (!profile.Values.TryGetValue(key.Text, out var known)) profile.Values.Add(key.Text, (key, value, depth));
            else if (known.Depth == depth)
                diagnostics.Error(DiagnosticCodes.DuplicateName, key.Where, $"the profile '{name}' sets '{key.Text}' twice",
                    $"the other is at {known.Key.Where}; set it in the including file instead");
        }
    }

    private sealed class Profile
    {
        public string? Description { get; set; }

        public OrderedDictionary<string, (YamlScalar Key, YamlNode Value, int Depth)> Values { get; } = [];
    }
}
