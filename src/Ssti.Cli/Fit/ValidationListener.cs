using Ssti.Cli.Display;
using Ssti.Engine.Running;
using Ssti.Stages;

namespace Ssti.Cli.Fit;

/// <summary>Shows what a training sees of its validation rows, which its log tells: who fits a model of his own wants to see it get better.</summary>
internal sealed class ValidationListener(IRunDisplay display, bool verbose, IRunListener? next) : IRunListener
{
    public void On(RunEvent happened)
    {
        next?.On(happened);
        // With -v all of the log is shown already.
        if (!verbose && happened is RunEvent.StageLogged { Instance: var instance, Line: var line } && TrainStage.TellsValidation(line)) display.Info($"{instance.Name}: {line}");
    }
}
