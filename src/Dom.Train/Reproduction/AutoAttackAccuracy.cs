namespace Dom.Train.Reproduction;

/// <summary>Accuracy under AutoAttack, 0..1.</summary>
/// <param name="Best">Of the checkpoint that is best under PGD-20.</param>
/// <param name="Last">Of the last one.</param>
public sealed record AutoAttackAccuracy(double? Best, double? Last);
