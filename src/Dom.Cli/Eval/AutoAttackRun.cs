using System.Globalization;
using Dom.Nn;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Cli.Eval;

/// <summary>An evaluation with strong attacks: clean and PGD-20 first, as no robust number may stand alone, then the attacks; its file is kept up to date.</summary>
internal sealed class AutoAttackRun(Network network, DeviceSplit split, int classes, AutoAttackOptions attacks, AttackOptions pgd20, Screen screen)
{
    private const int MillisecondsBetweenLines = 100;

    private readonly LiveLine _line = new(screen);
    private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
    private long _shownAt = -MillisecondsBetweenLines;

    /// <summary>Runs or goes on.</summary>
    /// <param name="file">What is known already.</param>
    /// <param name="path">Where it is kept; null for nowhere.</param>
    /// <param name="measure">Measures PGD-20 or clean images.</param>
    /// <param name="batchDone">Called after every batch.</param>
    /// <param name="cancel">Stops; what was done is in the file.</param>
    public AutoAttackFile Execute(
        AutoAttackFile file, string? path, Func<AttackOptions, EvaluationResult> measure, Action? batchDone, CancellationToken cancel)
    {
        if (file.Clean is null)
            Keep(file with { Clean = measure(AttackOptions.None) });
        if (file.Pgd20 is null)
            Keep(file with { Pgd20 = measure(pgd20) });
        var evaluation = new AutoAttack(network, split, classes, attacks)
        {
            Saved = state =>
            {
                Keep(file with { State = state });
                Report(state);
                batchDone?.Invoke();
            },
            Progress = Show,
        };
        try
        {
            Keep(file with { State = evaluation.Run(file.State, cancel) });
        }
        finally
        {
            _line.Clear();
        }
        return file;

        void Keep(AutoAttackFile next)
        {
            file = next;
            if (path is not null)
                file.Save(path);
        }
    }

    private void Show(AutoAttackProgress p)
    {
        if (!screen.IsLive || _watch.ElapsedMilliseconds - _shownAt < MillisecondsBetweenLines)
            return;
        _shownAt = _watch.ElapsedMilliseconds;
        string left = p.Left is { } time ? $"  at most {AutoAttackFigures.Time(time.TotalSeconds)} left" : "";
        _line.Show(string.Create(CultureInfo.InvariantCulture,
            $"{p.Attack.Name()}  batch {p.Batch}/{p.Batches} of {p.Attacked} images  {100 * p.Within.Done / Math.Max(1, p.Within.Total)} %  "
            + $"robust so far {TrainProgress.Percent((double)p.Robust / p.Samples).TrimStart()}{left}"));
    }

    /// <summary>A line for every attack that is finished.</summary>
    private void Report(AutoAttackState state)
    {
        if (state.AttacksDone == 0 || state.SamplesDone > 0)
            return;
        _line.Clear();
        var tally = state.Tallies[^1];
        screen.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{tally.Attack.Name()}: {tally.Fooled:N0} of {tally.Attacked:N0} images fool the network; robust so far "
            + $"{TrainProgress.Percent((double)state.RobustCount / state.Samples).TrimStart()} ({AutoAttackFigures.Time(tally.Seconds)})"));
    }
}
