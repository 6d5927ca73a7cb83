using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Signing;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti keys</c>: the key that signs what this user executes, and the public keys of others.</summary>
internal static class KeysCommand
{
    private static readonly Argument<string?> What = new("action") { Description = "new, add or remove; nothing to list the keys.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Name = new("name") { Description = "Whose key it is, as you call them.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> PublicKey = new("file") { Description = "Their own.pub.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(CliHost host)
    {
        What.AcceptOnlyFromAmong("new", "add", "remove");
        var command = new Command(
            "keys", "List the keys of signed records; 'new' makes yours, 'add <name> <file>' and 'remove <name>' are for those of others.")
        {
            What, Name, PublicKey,
        };
        command.SetAction(parsed => Do(host, parsed));
        return command;
    }

    /// <summary>Whose records a command takes, by <c>--trust</c> or <c>SSTI_TRUST</c>; null for everybody's.</summary>
    /// <exception cref="Ssti.Store.StoreException">A name has no key.</exception>
    public static TrustedKeys? Trust(ParseResult parsed, CliHost host) => (parsed.GetValue(PipelineOptions.Trust) ?? host.Environment("SSTI_TRUST")) is { } names
        && names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } some ? KeyRing.Of(host.Environment).Trust(some) : null;

    private static int Do(CliHost host, ParseResult parsed)
    {
        var ring = KeyRing.Of(host.Environment);
        var (what, name, file) = (parsed.GetValue(What), parsed.GetValue(Name), parsed.GetValue(PublicKey));
        var wanted = what switch { "add" => 2, "remove" => 1, _ => 0 };
        if ((name is null ? 0 : file is null ? 1 : 2) != wanted)
            throw new UserException(what switch
            {
                "add" => "say whose key it is and where: ssti keys add alice alice.pub",
                "remove" => "say whose: ssti keys remove alice",
                _ => $"'{name}' is one word too many for 'keys {what}'",
            });
        switch (what)
        {
            case "new": ring.Make(); break;
            case "add": ring.Add(name!, Path.GetFullPath(file!, host.WorkingFolder)); break;
            case "remove": ring.Remove(name!); break;
        }

        var keys = ring.Keys();
        if (parsed.GetValue(CommonOptions.Json))
        {
            JsonOutput.Write(host.Terminal.Out, new JsonObject
            {
                ["folder"] = ring.Folder,
                ["keys"] = new JsonArray([.. keys.Select(key => new JsonObject { ["name"] = key.Name, ["fingerprint"] = key.Fingerprint })]),
            });
            return ExitCodes.Done;
        }

        foreach (var key in keys) host.Terminal.Out.WriteLine($"{key.Fingerprint}  {key.Name}");
        if (parsed.GetValue(CommonOptions.Quiet)) return ExitCodes.Done;
        if (what == "new")
        {
            host.Terminal.Error.WriteLine(
                $"what you execute is signed from now on; others need {Path.Combine(ring.Folder, KeyRing.Own + ".pub")}, and should compare its "
                + "fingerprint with you");
        }
        else if (keys.Count == 0) host.Terminal.Error.WriteLine($"no keys in {ring.Folder}; 'ssti keys new' makes yours");
        return ExitCodes.Done;
    }
}
