using System.Diagnostics;
using System.Globalization;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>Shows how a run goes: a line an epoch and, on a terminal, a line below them that changes with every step.</summary>
internal sealed class TrainProgress(Screen screen, TrainingRun run) : ITrainingObserver
{
    private const int BarWidth = 20;
    private const int MillisecondsBetweenLines = 100;

    private readonly TrainOptions _options = run.Description.Options;
    private readonly int _steps = run.Trainer.Steps;
    private readonly long _firstStep = (long)run.Trainer.State.Epoch * run.Trainer.Steps + run.Trainer.State.Step;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private EpochMetrics? _last = run.Folder.ReadMetrics(run.Trainer.State.Epoch) is [.., var last] ? last : null;
    private long _shownAt = -MillisecondsBetweenLines;
    private double _confident;
    private int _seen;
    private string _line = "";

    /// <inheritdoc/>
    public void StepDone(StepProgress progress)
    {
        var (epoch, step, _) = progress.Position;
        _confident += progress.HighConfidence;
        _seen++;
        bool isLast = step == _steps - 1;
        if (!IsDue(isLast))
            return;
        Show(string.Create(CultureInfo.InvariantCulture,
            $"epoch {epoch + 1}/{_options.Epochs} {Bar(step + 1, _steps)} {step + 1}/{_steps}  ETA {TimeLeft(progress.Position.Global + 1)}  "
            + $"{progress.ImagesPerSecond:N0} images/s  loss {progress.MeanLoss:0.000}{LastAccuracy()}  confident {Percent(_confident / _seen)}"));
    }

    /// <inheritdoc/>
    public void Evaluating(int done, int total)
    {
        if (IsDue(done == total))
            Show($"testing {Bar(done, total)} {done}/{total}{LastAccuracy()}");
    }

    /// <inheritdoc/>
    public void EpochDone(EpochMetrics metrics)
    {
        double? before = _last?.TestRobustAccuracy;
        (_last, _confident, _seen, _line) = (metrics, 0, 0, "");
        Say(Line(metrics, _options.Epochs));
        if (metrics.Collapse is not null)
            Say(CollapseAlarm.Describe(metrics, before) + Response());
    }

    private string Response() => (_options.EffectiveOnCollapse, _options.Dom) switch
    {
        (CollapseResponse.Dom, DomAction.Off) => string.Create(CultureInfo.InvariantCulture, $" From the next epoch on DOM removes samples with a natural loss below {_options.EffectiveThreshold}."),
        (CollapseResponse.Dom, _) => " DOM is part of this run already; nothing changes.",
        (CollapseResponse.Warn, _) => " --on-collapse stop or dom would act on it.",
        _ => "",
    };

    /// <summary>Writes a line that stays, above the one that changes.</summary>
    public void Say(string text)
    {
        lock (_lock)
        {
            if (screen.IsLive)
                screen.Writer.Write("\r\e[K");
            screen.Writer.WriteLine(text);
            if (screen.IsLive)
                screen.Writer.Write(_line);
            screen.Writer.Flush();
        }
    }

    /// <summary>Takes the changing line away.</summary>
    public void End() => Show("");

    /// <summary>The figures of an epoch on a line.</summary>
    public static string Line(EpochMetrics metrics, int epochs)
    {
        var culture = CultureInfo.InvariantCulture;
        string epoch = metrics.Epoch.ToString(culture).PadLeft(epochs.ToString(culture).Length);
        string line = string.Create(culture,
            $"epoch {epoch}/{epochs}  loss {metrics.TrainLoss:0.0000}  train {Percent(metrics.TrainAccuracy)}  test {Percent(metrics.TestAccuracy)}");
        if (metrics.TestRobustAccuracy is { } robust)
            line += $"  {metrics.RobustAttack} {Percent(robust)}";
        line += $"  confident {Percent(metrics.HighConfidence)}";
        if (metrics.Removed > 0)
            line += $"  removed {Percent(metrics.Removed)}";
        if (metrics is { Augmented: > 0 and var augmented, Accepted: { } accepted, Tries: { } tries })
            line += string.Create(culture, $"  augmented {Percent(augmented)} accepted {Percent(accepted)} tries {tries:0.00}");
        if (metrics is { RightLabelAccuracy: { } right, WrongLabelAccuracy: { } wrong })
            line += $"  right labels {Percent(right)}  wrong labels {Percent(wrong)}";
        if (double.IsFinite(metrics.ImagesPerSecond))
            line += string.Create(culture, $"  {metrics.ImagesPerSecond:N0} images/s");
        return line;
    }

    /// <summary>"81.2 %", as wide as "100.0 %".</summary>
    public static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + " %";

    private string LastAccuracy() => _last is null ? "" : $"  test {Percent(_last.TestAccuracy).TrimStart()}"
        + (_last.TestRobustAccuracy is { } robust ? $"  {_last.RobustAttack} {Percent(robust).TrimStart()}" : "");

    private bool IsDue(bool always)
    {
        if (!screen.IsLive || (!always && _watch.ElapsedMilliseconds - _shownAt < MillisecondsBetweenLines))
            return false;
        _shownAt = _watch.ElapsedMilliseconds;
        return true;
    }

    private void Show(string line)
    {
        if (!screen.IsLive)
            return;
        lock (_lock)
        {
            _line = line.Length < screen.Width ? line : line[..(screen.Width - 1)];
            screen.Writer.Write("\r" + _line + "\e[K");
            screen.Writer.Flush();
        }
    }

    // Evaluations so far are in the time and so in the average step: the estimate settles after the first epoch.
    private string TimeLeft(long done)
    {
        long total = (long)_options.Epochs * _steps;
        var left = _watch.Elapsed / Math.Max(1, done - _firstStep) * (total - done);
        return left.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{left.Minutes:00}:{left.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{left.Minutes}:{left.Seconds:00}");
    }

    private static string Bar(int done, int total)
    {
        int full = (int)((long)BarWidth * done / Math.Max(1, total));
        return new string('█', full) + new string('░', BarWidth - full);
    }
}
