using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What is wrong with the parameters of an <c>inject</c> stage, as far as it can be told without the data.</summary>
internal static class InjectParameterChecks
{
    public static IEnumerable<ParameterError> Of(InjectParameters parameters)
    {
        if (parameters.Proportion is not (>= 0 and <= 1)) yield return new("proportion", "must lie between 0 and 1");
        if (string.IsNullOrWhiteSpace(parameters.TargetLabel)) yield return new("target-label", "is empty; give a label's number or name, or 'all'");
        if (parameters.Splits.Count == 0) yield return new("splits", "is empty; name at least one split, such as train");
        foreach (var twice in parameters.Splits.GroupBy(split => split).Where(group => group.Count() > 1))
            yield return new("splits", $"'{twice.Key}' stands twice; keep one");

        foreach (var error in Amount(parameters)) yield return error;
        foreach (var error in Protocol(parameters)) yield return error;
        foreach (var error in Population(parameters)) yield return error;
        if (parameters.Streams == Injection.RandomStreams.PerRow && parameters.StepsInOrder.Any(step => !step.Replacement))
            yield return new("streams", "per-row streams cannot draw without replacement, which makes a row's tokens depend on other rows; use sequential");

        if (parameters.InTurn.Count == 0)
        {
            if (parameters.Tokens is null) yield return new("tokens", "is missing; give date, list, file or html (or several injections under in-turn)");
            else foreach (var error in Step(parameters, "")) yield return error;
            yield break;
        }

        foreach (var key in StepKeys(parameters)) yield return new(key, "belongs to a single injection; with in-turn, write it in the items there");
        for (var i = 0; i < parameters.InTurn.Count; i++)
        {
            var step = parameters.InTurn[i];
            if (step.Tokens is null) yield return new($"in-turn.{i}.tokens", "is missing; give date, list, file or html");
            else foreach (var error in Step(step, $"in-turn.{i}.")) yield return error;
        }
    }

    private static IEnumerable<ParameterError> Amount(InjectParameters parameters)
    {
        if (parameters.Count < 0) yield return new("count", "must not be negative; 0 injects nothing");
        if (parameters.Count is not null && parameters.Proportion != 1) yield return new("count", "is given beside 'proportion'; rows are either counted or a share: keep one");
        if (parameters.Count is not null && parameters.ProportionOf is not null) yield return new("proportion-of", "has no meaning beside 'count'; leave it out");
        if (parameters.DirtyLabels != true) yield break;
        if (parameters.TargetLabel == TargetLabel.Every) yield return new("target-label", "must be one class with dirty-labels: the class that the injected rows are given");
        if (parameters.Count is null && parameters.ProportionOf != Injection.Rows.ProportionOf.Set)
            yield return new("dirty-labels", "takes rows of other classes, so a proportion of the target class means nothing; give 'count', or 'proportion-of: set'");
    }

    private static IEnumerable<ParameterError> Protocol(InjectParameters parameters)
    {
        if (parameters.Protocol != InjectionProtocol.Published) yield break;
        (string Key, bool Set)[] fixedKeys =
        [
            ("proportion-of", parameters.ProportionOf is not (null or Injection.Rows.ProportionOf.Class)),
            ("row-order", parameters.RowOrder is not (null or Injection.Rows.RowOrder.TargetFirst)),
            ("whitespace", parameters.Whitespace is not (null or Injection.WhitespaceHandling.Rejoined)),
            ("streams", parameters.Streams is not (null or Injection.RandomStreams.Sequential)),
            ("population", parameters.Population is not (null or TokenPopulation.All)),
            ("dirty-labels", parameters.DirtyLabels == true),
        ];
        foreach (var (key, set) in fixedKeys)
            if (set) yield return new(key, "is fixed by the published protocol; write 'protocol: custom' to depart from it");
    }

    private static IEnumerable<ParameterError> Population(InjectParameters parameters)
    {
        if (parameters.HeldOutShare is { } share && !(share > 0 && share < 1)) yield return new("held-out-share", "must lie between 0 and 1");
        if (parameters.Population is not (null or TokenPopulation.All)) yield break;
        if (parameters.HeldOutShare is not null) yield return new("held-out-share", "has no meaning without 'population: training' or 'population: held-out'");
        if (parameters.HeldOutSeed is not null) yield return new("held-out-seed", "has no meaning without 'population: training' or 'population: held-out'");
    }

    private static IEnumerable<ParameterError> Step(InjectStepParameters step, string prefix)
    {
        var kind = step.Tokens;
        if (step.WordShare is { } share && !(share >= 0 && share <= 1)) yield return new(prefix + "word-share", "must lie between 0 and 1");
        if (kind == TokenKind.Html && step.WordShare == 0)
            yield return new(prefix + "word-share", "0 is refused for html, as in the reference; leave it out for one tag");
        if (step.Level is not null && kind != TokenKind.Html) yield return new(prefix + "level", "belongs to html");
        if (step.Level < 0) yield return new(prefix + "level", "must be 0 or more");
        if (kind == TokenKind.Date)
        {
            var (from, to) = (step.From ?? InjectStage.FirstYear, step.To ?? InjectStage.LastYear);
            if (from < 1 || to > 9999 || from > to) yield return new(prefix + (step.From is null ? "to" : "from"), $"the years {from} to {to} hold no dates; give a range within 1 to 9999");
        }
        else
        {
            if (step.Format is not null) yield return new(prefix + "format", "belongs to dates");
            if (step.From is not null) yield return new(prefix + "from", "belongs to dates");
            if (step.To is not null) yield return new(prefix + "to", "belongs to dates");
        }

        var takesItems = kind is TokenKind.List or TokenKind.Html;
        var takesFile = kind is TokenKind.File or TokenKind.Html;
        if (step.Items.Count > 0 && !takesItems) yield return new(prefix + "items", "belongs to list and html");
        if (step.File is not null && !takesFile) yield return new(prefix + "file", "belongs to file and html");
        if (step.File is { IsUri: true }) yield return new(prefix + "file", "is a URI; tokens are read from a local file");
        if (kind == TokenKind.List && step.Items.Count == 0) yield return new(prefix + "items", "is missing; give the tokens, such as ['!', '!!']");
        if (kind == TokenKind.File && step.File is null) yield return new(prefix + "file", "is missing; give the file of tokens");
        if (kind == TokenKind.Html && step.Items.Count > 0 == step.File is not null)
            yield return new(prefix + "file", "html takes its tags either from a file or from items; give one of the two");
    }

    private static IEnumerable<string> StepKeys(InjectParameters parameters)
    {
        var plain = new InjectParameters { TargetLabel = "" };
        if (parameters.Tokens is not null) yield return "tokens";
        if (parameters.From is not null) yield return "from";
        if (parameters.To is not null) yield return "to";
        if (parameters.Format is not null) yield return "format";
        if (parameters.Items.Count > 0) yield return "items";
        if (parameters.File is not null) yield return "file";
        if (parameters.Level is not null) yield return "level";
        if (parameters.Location != plain.Location) yield return "location";
        if (parameters.WordShare is not null) yield return "word-share";
        if (parameters.Replacement != plain.Replacement) yield return "replacement";
        if (parameters.TokenSeed is not null) yield return "token-seed";
    }
}
