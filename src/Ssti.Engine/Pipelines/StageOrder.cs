using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>Orders stages so that each stands after those it needs, otherwise as written; tells of unknown stages and of cycles.</summary>
internal static class StageOrder
{
    /// <summary>The stages that can be ordered. Those with unknown needs, or behind such, are left out after an error was reported.</summary>
    /// <param name="stages">The stages as written.</param>
    /// <param name="known">Names that exist, those of faulty stages included.</param>
    /// <param name="diagnostics">Where errors go.</param>
    public static IReadOnlyList<StageDefinition> Sort(IReadOnlyList<StageDefinition> stages, IReadOnlyCollection<string> known, DiagnosticBag diagnostics)
    {
        var byName = stages.ToDictionary(s => s.Name);
        var names = known.ToHashSet();
        var waiting = new Dictionary<string, int>();
        var consumers = new Dictionary<string, List<StageDefinition>>();
        var order = stages.Select((s, i) => (s.Name, i)).ToDictionary(p => p.Name, p => p.i);
        var ready = new PriorityQueue<StageDefinition, int>();
        foreach (var stage in stages)
        {
            var needed = stage.Needs.SelectMany(n => n.From).ToList();
            foreach (var reference in needed.Where(r => !names.Contains(r.Stage)))
                diagnostics.Unknown(DiagnosticCodes.UnknownStage, reference.Node.Where, "stage", reference.Stage, known, "stages of this pipeline");
            var distinct = needed.Select(r => r.Stage).Distinct().ToList();
            // A stage that does not exist never becomes ready, and so its consumers are left out.
            waiting[stage.Name] = distinct.Count;
            foreach (var name in distinct.Where(byName.ContainsKey))
            {
                if (!consumers.TryGetValue(name, out var list)) consumers[name] = list = [];
                list.Add(stage);
            }

            if (distinct.Count == 0) ready.Enqueue(stage, order[stage.Name]);
        }

        var sorted = new List<StageDefinition>(stages.Count);
        while (ready.TryDequeue(out var stage, out _))
        {
            sorted.Add(stage);
            foreach (var consumer in consumers.GetValueOrDefault(stage.Name) ?? [])
                if (--waiting[consumer.Name] == 0) ready.Enqueue(consumer, order[consumer.Name]);
        }

        if (sorted.Count < stages.Count) ReportCycle(stages, sorted, byName, diagnostics);
        return sorted;
    }

    private static void ReportCycle(
        IReadOnlyList<StageDefinition> stages, List<StageDefinition> sorted, Dictionary<string, StageDefinition> byName, DiagnosticBag diagnostics)
    {
        var ordered = sorted.Select(s => s.Name).ToHashSet();
        var settled = ordered.ToHashSet();
        // Walking from a stuck stage to a stuck need ends at a missing stage, which was reported, or comes round.
        foreach (var start in stages.Where(s => !settled.Contains(s.Name)))
        {
            var path = new List<StageDefinition>();
            for (var at = start; at is not null && settled.Add(at.Name); path.Add(at), at = Next(at)) { }
            if (path.Count == 0 || Next(path[^1]) is not { } back || path.FindIndex(s => s.Name == back.Name) is not (>= 0 and var from)) continue;
            var cycle = path[from..];
            diagnostics.Error(DiagnosticCodes.StageCycle, cycle[0].Where,
                $"stages need each other: {string.Join(" -> ", cycle.Select(s => s.Name).Append(cycle[0].Name))}", "remove one of these needs");
        }

        StageDefinition? Next(StageDefinition stage) =>
            stage.Needs.SelectMany(n => n.From).Select(r => byName.GetValueOrDefault(r.Stage)).FirstOrDefault(s => s is not null && !ordered.Contains(s.Name));
    }
}
