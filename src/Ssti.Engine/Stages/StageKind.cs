namespace Ssti.Engine.Stages;

/// <summary>
/// A kind of stage, as <c>uses:</c> names it in a pipeline: what it takes, and how it runs.
/// A new kind is one record of parameters and one class derived from this.
/// </summary>
/// <typeparam name="TParameters">
/// A record with a parameterless constructor. Each public settable property is a key under <c>with:</c>, named in
/// kebab-case (<c>TargetLabel</c> is <c>target-label</c>); its initial value is the default, and <c>required</c> makes it required.
/// Property types: string, bool, int, long, double, enum (kebab-case members), <see cref="SourcePath"/>, lists and nested records of these, and nullables.
/// </typeparam>
public abstract class StageKind<TParameters> : IStageKind
    where TParameters : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract int Version { get; }

    /// <inheritdoc/>
    public abstract string Summary { get; }

    /// <inheritdoc/>
    public virtual IReadOnlyList<StageInput> Inputs => [];

    /// <inheritdoc/>
    public virtual bool UsesTensors => false;

    /// <summary>
    /// Whether a stage with these parameters draws from <see cref="StageContext.Seed"/>. A stage that does not has no seed in its key: another seed of the
    /// pipeline, or another name, rebuilds nothing.
    /// </summary>
    public virtual bool UsesSeed(TParameters parameters) => true;

    /// <summary>
    /// Whether its output tells <see cref="StageContext.Profile"/>: then that stands in the key, so that no cached result claims another profile. For results that
    /// people read and that cost little to make; profiles share all others.
    /// </summary>
    public virtual bool TellsProfile => false;

    /// <summary>
    /// What a stage must have in common with others of this kind to be worked at together with them, as members of a <see cref="StageContext.Group"/>; null for a stage
    /// that works alone. It may change no byte: it stands in no key.
    /// </summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="compute">What it computes with.</param>
    public virtual StageLikeness? Likeness(TParameters parameters, ComputeSettings compute) => null;

    /// <summary>What is wrong with parameters that have the right types: key path (kebab-case, dots) and message.</summary>
    public virtual IEnumerable<ParameterError> Validate(TParameters parameters) => [];

    /// <summary>
    /// What is wrong with parameters that name matrix dimensions or cells of the inputs: told before anything runs, so that a misspelt one does not show after hours.
    /// </summary>
    /// <param name="parameters">The parameters, which <see cref="Validate"/> found right.</param>
    /// <param name="inputs">Gives by an input's name what it takes from, in order; nothing for one that is left out.</param>
    public virtual IEnumerable<ParameterError> ValidateInputs(TParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs) => [];

    /// <summary>
    /// Runs the stage: reads <see cref="StageContext.Inputs"/>, writes files under <see cref="StageContext.OutputFolder"/>.
    /// The same parameters, inputs and seed must give the same bytes.
    /// </summary>
    /// <exception cref="StageException">The stage cannot be done, and the message tells the user what to do.</exception>
    public abstract Task RunAsync(TParameters parameters, StageContext context, CancellationToken cancellation);

    Type IStageKind.ParametersType => typeof(TParameters);

    bool IStageKind.UsesSeed(object parameters) => UsesSeed((TParameters)parameters);

    StageLikeness? IStageKind.Likeness(object parameters, ComputeSettings compute) => Likeness((TParameters)parameters, compute);

    IEnumerable<ParameterError> IStageKind.Validate(object parameters) => Validate((TParameters)parameters);

    IEnumerable<ParameterError> IStageKind.ValidateInputs(object parameters, Func<string, IReadOnlyList<InputCell>> inputs) =>
        ValidateInputs((TParameters)parameters, inputs);

    Task IStageKind.RunAsync(object parameters, StageContext context, CancellationToken cancellation) =>
        RunAsync((TParameters)parameters, context, cancellation);
}

/// <summary>The untyped face of <see cref="StageKind{TParameters}"/>, as the engine holds it.</summary>
public interface IStageKind
{
    /// <summary>The name in <c>uses:</c>.</summary>
    string Name { get; }

    /// <summary>Bumped by hand whenever the same parameters and inputs give other bytes than before. Part of every action key.</summary>
    int Version { get; }

    /// <summary>One line for help and the JSON Schema.</summary>
    string Summary { get; }

    /// <summary>The inputs a stage of this kind takes under <c>needs:</c>.</summary>
    IReadOnlyList<StageInput> Inputs { get; }

    /// <summary>Whether it computes with tensors: then the numerics stand in its key, and it takes its compute threads' worth of the machine.</summary>
    bool UsesTensors { get; }

    /// <summary>The type of the parameters.</summary>
    Type ParametersType { get; }

    /// <summary>Whether its output tells the profile that the pipeline was loaded with: then the profile stands in its key.</summary>
    bool TellsProfile { get; }

    /// <summary>Whether a stage with these parameters draws from its seed: then the seed stands in its key.</summary>
    bool UsesSeed(object parameters);

    /// <summary>What a stage must have in common with others to be worked at together with them; null for one that works alone.</summary>
    StageLikeness? Likeness(object parameters, ComputeSettings compute);

    /// <summary>What is wrong with parameters that have the right types.</summary>
    IEnumerable<ParameterError> Validate(object parameters);

    /// <summary>What is wrong with parameters that name matrix dimensions or cells of the inputs.</summary>
    IEnumerable<ParameterError> ValidateInputs(object parameters, Func<string, IReadOnlyList<InputCell>> inputs);

    /// <summary>Runs the stage.</summary>
    Task RunAsync(object parameters, StageContext context, CancellationToken cancellation);
}

/// <summary>An input of a stage kind.</summary>
/// <param name="Name">The key under <c>needs:</c>.</param>
/// <param name="Required">Whether a stage may leave it out.</param>
/// <param name="Many">Whether it takes the outputs of several stages or matrix cells, in the order of the pipeline.</param>
/// <param name="Summary">What it must hold, for help and the JSON Schema.</param>
public sealed record StageInput(string Name, string Summary, bool Required = true, bool Many = false)
{
    /// <summary>
    /// Whether a stage may look at <see cref="InputTree.Cell"/> of this input. Then the names of stages and cells stand in its key, as anything
    /// must that can change its bytes; otherwise the cell is handed over empty, and renaming a cell rebuilds nothing. By default: inputs that take many.
    /// </summary>
    public bool ReadsCells { get; init; } = Many;
}

/// <summary>An error in a stage's parameters.</summary>
/// <param name="Key">The key under <c>with:</c>, kebab-case; dots lead into nested records.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record ParameterError(string Key, string Message);

/// <summary>A stage cannot be done for a reason the user can act on. Shown as it stands, without a stack trace.</summary>
public sealed class StageException(string message, Exception? inner = null) : Exception(message, inner);
