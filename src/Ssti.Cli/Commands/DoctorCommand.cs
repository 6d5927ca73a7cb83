using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Doctor;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti doctor</c>: what runs depend on, and a cure for what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("doctor", "Check native libraries, device, store and hub, each with a cure.") { CommonOptions.Store };
        command.SetAction(async (parsed, cancellation) =>
        {
            var checks = await Checks.AllAsync(host, parsed, cancellation);
            var output = host.Terminal.Out;
            if (parsed.GetValue(CommonOptions.Json))
            {
                JsonOutput.Write(output, new JsonObject
                {
                    ["checks"] = new JsonArray([.. checks.Select(check => new JsonObject
                    {
                        ["name"] = check.Name,
                        ["state"] = check.State.ToString().ToLowerInvariant(),
                        ["finding"] = check.Finding,
                        ["cure"] = check.Cure,
                    })]),
                });
            }
            else
            {
                foreach (var check in checks)
                {
                    await output.WriteLineAsync($"{check.State.ToString().ToLowerInvariant(),-8}{check.Name,-10}  {check.Finding}");
                    if (check.Cure is not null) await output.WriteLineAsync($"{"",-18}  -> {check.Cure}");
                }
            }

            return checks.Any(check => check.State == CheckState.Failed) ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }
}
