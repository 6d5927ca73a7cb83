using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Which service hosts which kinds of stage when a pipeline is run by a cluster. Every kind has one.</summary>
public static class StageServices
{
    /// <summary>The kinds of each service, by the service's name.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Kinds { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["data-prep"] = ["corpus", "dataset", "split", "model", "tokenise"],
        ["injection"] = ["inject", "sanitise", "paraphrase"],
        ["training"] = ["pretrain", "train"],
        ["evaluation"] =
        [
            "adapter", "evaluate", "attention", "token-entropy", "stealth", "audit-data", "probe-data", "parameter-count", "audit-adapter", "adapter-bank", "defend",
            "table", "figure", "claim", "report",
        ],
    };

    /// <summary>The kinds that a service hosts, to be run.</summary>
    /// <param name="service">The service's name, a key of <see cref="Kinds"/>.</param>
    /// <param name="environment">Gives an environment variable, or null; some say how to reach the Hub.</param>
    /// <exception cref="StageException">The environment names an impossible hub.</exception>
    public static IReadOnlyList<IStageKind> Of(string service, Func<string, string?> environment)
    {
        try
        {
            var hub = HubOptions.FromEnvironment(environment, HubOptions.Home);
            var names = Kinds[service];
            return [.. StageKinds.With(hub, environment).Where(kind => names.Contains(kind.Name))];
        }
        catch (CorpusException e)
        {
            throw new StageException(e.Message, e);
        }
    }
}
