using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cluster.Security;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti certificates</c>: an authority and certificates for a cluster, for people who have none.</summary>
internal static class CertificatesCommand
{
    private const string SiloFile = "silo", DefaultSubmitter = "submitter";
    private static readonly Argument<string> Folder = new("folder") { Description = "Where they are; what the authority in it signed before is renewed." };

    private static readonly Option<string> Name = new("--name")
        { Description = "The name of the silos, for Ssti__Tls__Name.", HelpName = "name", DefaultValueFactory = _ => "ssti-silo" };

    private static readonly Option<string[]> Submitters = new("--submitter")
        { Description = "A submitter: its name, and that of its files (default: submitter). May be repeated.", HelpName = "name" };

    private static readonly Option<int?> Days = WholeNumber.Option("--days", null, 1, "How long silos' and submitters' certificates are good (default: 90).", 825);

    private static readonly Option<bool> NewAuthority = new("--new-authority")
        { Description = "Make a new authority; authority.pem goes on to hold the old one, until it is taken out." };

    public static Command Create(CliHost host)
    {
        var command = new Command("certificates", "Make an authority, and certificates of silos and submitters, for a cluster with TLS; once more renews them.")
            { Folder, Name, Submitters, Days, NewAuthority };
        command.SetAction(parsed => Make(host, parsed));
        return command;
    }

    private static int Make(CliHost host, ParseResult parsed)
    {
        if (parsed.GetRequiredValue(Folder) is not { Length: > 0 } named) throw new UserException("an empty name is no folder");
        var submitters = parsed.GetValue(Submitters) is { Length: > 0 } some ? some : [DefaultSubmitter];
        foreach (var name in submitters.Append(parsed.GetValue(Name)!))
            if (name.Contains('/', StringComparison.Ordinal) || Uri.CheckHostName(name) != UriHostNameType.Dns)
                throw new UserException($"'{name}' is no name for a certificate; write one such as ssti-silo or alice");
        if (submitters.Any(name => name is SiloFile or "authority"))
            throw new UserException("'silo' and 'authority' are names of files there already; call the submitter something else");
        var folder = new CertificateFolder(Path.GetFullPath(named, host.WorkingFolder), host.Time);
        var life = TimeSpan.FromDays(parsed.GetValue(Days) ?? 90);
        var (authorityUntil, isNew) = folder.Found(parsed.GetValue(NewAuthority));
        var made = new List<(string File, string Name, DateTimeOffset Until)>
        {
            (SiloFile, parsed.GetValue(Name)!, folder.Sign(SiloFile, [parsed.GetValue(Name)!], isSilo: true, life)),
        };
        foreach (var name in submitters) made.Add((name, name, folder.Sign(name, [name], isSilo: false, life)));
        if (parsed.GetValue(CommonOptions.Json))
        {
            JsonOutput.Write(host.Terminal.Out, new JsonObject
            {
                ["authority"] = folder.AuthorityFile, ["authority-until"] = $"{authorityUntil:O}", ["authority-is-new"] = isNew,
                ["certificates"] = new JsonArray([.. made.Select(one => new JsonObject
                {
                    ["certificate"] = folder.PemOf(one.File), ["key"] = folder.KeyOf(one.File), ["name"] = one.Name, ["until"] = $"{one.Until:O}",
                })]),
            });
            return ExitCodes.Done;
        }

        var output = host.Terminal.Out;
        output.WriteLine($"{(isNew ? "made" : "kept")} the authority {folder.AuthorityFile}, good until {authorityUntil:yyyy-MM-dd}");
        foreach (var (file, name, until) in made) output.WriteLine($"made {folder.PemOf(file)} and its key, named {name}, good until {until:yyyy-MM-dd}");
        if (parsed.GetValue(CommonOptions.Quiet)) return ExitCodes.Done;
        output.WriteLine($"""

            for silos                                                  for 'ssti run --cluster'
              Ssti__Tls__Certificate=silo.pem                            Ssti__Tls__Certificate={submitters[0]}.pem
              Ssti__Tls__Key=silo.key                                    Ssti__Tls__Key={submitters[0]}.key
              Ssti__Tls__Authority=authority.pem                         Ssti__Tls__Authority=authority.pem
              Ssti__Tls__Name={parsed.GetValue(Name)}                                  Ssti__Tls__Name={parsed.GetValue(Name)}
            Each machine gets these three files and no other. authority.key signs whoever is let in: keep it where no silo runs.
            """);
        return ExitCodes.Done;
    }
}
