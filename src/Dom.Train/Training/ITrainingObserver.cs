namespace Dom.Train.Training;

/// <summary>What can be shown while a step goes by.</summary>
/// <param name="Position">The step.</param>
/// <param name="MeanLoss">Mean loss of the epoch so far.</param>
/// <param name="HighConfidence">Share of this step's samples whose loss is below the threshold T.</param>
/// <param name="ImagesPerSecond">Training speed of the epoch so far.</param>
/// <param name="LearningRate">Rate of this step.</param>
public sealed record StepProgress(StepPosition Position, double MeanLoss, double HighConfidence, double ImagesPerSecond, double LearningRate);

/// <summary>Watches a run. Nothing it does changes the result.</summary>
public interface ITrainingObserver
{
    /// <summary>A step is done. Told in order; the next one may be queued already.</summary>
    void StepDone(StepProgress progress);

    /// <summary>An epoch is evaluated; called with samples done and samples in all.</summary>
    void Evaluating(int done, int total);

    /// <summary>An epoch is done.</summary>
    void EpochDone(EpochMetrics metrics);

    /// <summary>
    /// A part of the run begins; it ends when the result is disposed. In a step "batch" and "figures", where the host has to wait for the device before the figures
    /// "wait", and with checkpoints inside an epoch "checkpoint"; behind an epoch "evaluation", "epoch figures", "ledger", "metrics" and "checkpoint".
    /// </summary>
    /// <returns>What to dispose, or null where nobody wants to know.</returns>
    IDisposable? Begin(string part) => null;
}
