using System.Diagnostics;

namespace Dom.Train.Training;

/// <summary>What is told of the steps of an epoch, one after the other; the clock starts when it is made.</summary>
/// <param name="options">Options of the run.</param>
internal sealed class StepReports(TrainOptions options)
{
    private readonly Optimizers.Schedule _schedule = new(options.Schedule, options.LearningRate, options.Epochs);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private double _loss;
    private long _visits;

    /// <summary>Speed so far, or NaN where there was no step.</summary>
    public double ImagesPerSecond => _visits == 0 ? double.NaN : _visits / _watch.Elapsed.TotalSeconds;

    private bool Augments => options.Dom == Memorization.DomAction.Augment;

    /// <summary>Where the run stands behind a step.</summary>
    /// <param name="before">Where it stood.</param>
    /// <param name="figures">What the step did.</param>
    public RunState Count(RunState before, StepFigures figures) => before with
    {
        Step = before.Step + 1,
        Kept = before.Kept + figures.Kept,
        LossSum = before.LossSum + LossOf(figures),
        Selected = before.Selected + (Augments ? figures.Selected : 0),
        Accepted = before.Accepted + figures.Accepted,
        Tries = before.Tries + figures.Tries,
    };

    /// <summary>The figures of a step for files and for those who look on.</summary>
    /// <param name="position">The step.</param>
    /// <param name="figures">What it did.</param>
    public (StepMetrics Metrics, StepProgress Progress) Of(StepPosition position, StepFigures figures)
    {
        int count = figures.Losses.Length;
        double loss = LossOf(figures), rate = _schedule.At(position.Time);
        _loss += loss;
        _visits += count;
        var metrics = new StepMetrics
        {
            Epoch = position.Epoch + 1,
            Step = position.Step + 1,
            Loss = loss / count,
            Kept = figures.Kept,
            Selected = Augments ? figures.Selected : null,
            Accepted = Augments ? figures.Accepted : null,
            Tries = Augments ? figures.Tries : null,
            LearningRate = rate,
        };
        var progress = new StepProgress(
            position, _loss / _visits, figures.Losses.Count(l => l < options.EffectiveThreshold) / (double)count, ImagesPerSecond, rate);
        return (metrics, progress);
    }

    private static double LossOf(StepFigures figures) => figures.Losses.Sum(l => (double)l);
}
