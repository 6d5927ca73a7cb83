namespace Ssti.Training.FineTuning;

/// <summary>How rows that are not trained on are looked at during a training.</summary>
/// <param name="Every">Updates between two looks; the last update is looked at in any case.</param>
/// <param name="Patience">After how many looks without a lower loss the training ends; 0: never before its last update.</param>
public sealed record ValidationSettings(int Every, int Patience);

/// <summary>What one look at the validation rows saw, with dropouts off.</summary>
/// <param name="Step">Updates done.</param>
/// <param name="Loss">Mean cross-entropy in nats; where classes are weighted, the mean weighted by them.</param>
/// <param name="Accuracy">Share of rows predicted right (largest logit, the lower class on a tie).</param>
/// <param name="BalancedAccuracy">Mean recall of the classes that occur.</param>
/// <param name="Best">Whether no loss before was as low.</param>
public readonly record struct ValidationRecord(int Step, float Loss, double Accuracy, double BalancedAccuracy, bool Best);
