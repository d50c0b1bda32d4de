using System.Diagnostics;
using System.Globalization;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Data;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Reproduce;

/// <summary>Table 13: what every method costs before and after K, from a few steps of each instead of whole runs.</summary>
/// <remarks>
/// The time of an epoch is the median of its steps, but for the first ones, times their number on all training images; evaluation is not in it. After K the
/// threshold is above every loss: DOM acts on every sample, and DOM_DA draws all the images it may. That is the most that a method can cost, and close to what it
/// costs late in training, when nearly all samples are below T.
/// </remarks>
/// <param name="plan">Table 13, its rows, and how many rounds: one a seed, the methods taking turns.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="screen">Where it is shown.</param>
internal sealed class ReproduceTimes(ReproductionPlan plan, IBackend backend, Screen screen)
{
    // The first steps compile, allocate and choose.
    private const int Skipped = 2, StepsOfAnEpoch = 10, TestImages = 16;
    private const double AboveEveryLoss = 1e6;

    private readonly Dictionary<PaperCell, List<double>> _before = plan.Cells.ToDictionary(cell => cell, _ => new List<double>());
    private readonly Dictionary<PaperCell, List<double>> _after = plan.Cells.ToDictionary(cell => cell, _ => new List<double>());
    private readonly Dictionary<PaperCell, long> _peaks = [];

    /// <summary>Times all methods.</summary>
    public ReproduceOutcome Execute(CancellationToken cancel)
    {
        screen.Writer.WriteLine(plan.Title);
        var options = Array.ConvertAll([.. plan.Cells], OptionsOf);
        var data = TrainingData.Open(options[0], ReadingLine.On(screen));
        int images = plan.Changes.SizesOf(options[0].Data).Train;
        bool isInterrupted = false;
        for (int round = 0; round < plan.Seeds && !isInterrupted; round++)
            for (int i = 0; i < options.Length && !isInterrupted; i++)
                isInterrupted = !Time(plan.Cells[i], options[i], data, images, round, cancel);

        var figures = Figures();
        var notes = Notes(options[0]);
        var result = ReproduceFigures.Of(plan, isInterrupted ? "interrupted" : "finished", figures, notes);
        string text = ReproductionTable.Text(plan, figures, notes);
        TableFiles.Write(plan, text, ReproductionTable.Csv(plan, figures), JsonLine.Of(result));
        screen.Writer.WriteLine();
        screen.Writer.Write(text);
        if (isInterrupted)
            screen.Writer.WriteLine("Interrupted; the times so far are those above.");
        return new ReproduceOutcome(isInterrupted ? ExitCode.Interrupted : ExitCode.Done, result);
    }

    private bool Time(PaperCell cell, TrainOptions options, DataSet data, int images, int round, CancellationToken cancel)
    {
        backend.Memory.EmptyCache();
        backend.Memory.ResetPeak();
        using var trainer = new Trainer(options, data, backend);
        var steps = new List<double>[] { [], [] };
        for (int epoch = 0; epoch < 2; epoch++)
        {
            var times = steps[epoch];
            long last = Stopwatch.GetTimestamp();
            // Told when the figures of a step have come from the device: from one to the next it has done one step, so the clock is honest.
            double speed = trainer.RunSteps(null, _ =>
            {
                times.Add(Stopwatch.GetElapsedTime(last).TotalSeconds);
                last = Stopwatch.GetTimestamp();
            }, cancel);
            if (!trainer.IsEpochDone)
                return false;
            try
            {
                trainer.FinishEpoch(speed, null, cancel);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        double stepsOfAll = (double)images / options.Batch;
        _before[cell].Add(MedianOf(steps[0]) * stepsOfAll);
        _after[cell].Add(MedianOf(steps[1]) * stepsOfAll);
        _peaks[cell] = Math.Max(_peaks.GetValueOrDefault(cell), backend.Memory.PeakBytes);
        screen.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"round {round + 1}/{plan.Seeds}  {PaperNames.LabelOf(cell.Method),-12} {_before[cell][^1]:0.00} s an epoch before K, {_after[cell][^1]:0.00} s after"));
        return true;
    }

    private TrainOptions OptionsOf(PaperCell cell)
    {
        var changes = plan.Changes;
        string data = changes.Data ?? cell.Options.Data;
        var (train, test) = changes.SizesOf(data);
        int batch = changes.Batch ?? cell.Options.Batch;
        var options = cell.Options with
        {
            Data = data,
            DataDirectory = changes.DataDirectory,
            Model = changes.Model ?? cell.Options.Model,
            Precision = changes.Precision ?? cell.Options.Precision,
            Batch = batch,
            Epochs = 2,
            Warmup = 1,
            Threshold = AboveEveryLoss,
            LimitTrain = Math.Min(train, changes.LimitTrain ?? StepsOfAnEpoch * batch),
            LimitTest = Math.Min(test, changes.LimitTest ?? TestImages),
        };
        options.Validate();
        return options;
    }

    private List<CellFigures> Figures() =>
    [
        .. from cell in plan.Cells
           from column in Enumerable.Range(0, plan.Table.Measures.Count)
           let measure = plan.Table.Measures[column]
           select new CellFigures(cell, measure, new SeedStatistics(ValuesOf(cell, measure)), cell.Published[column]),
    ];

    private List<double> ValuesOf(PaperCell cell, PaperMeasure measure) => measure switch
    {
        PaperMeasure.SecondsBefore => _before[cell],
        PaperMeasure.SecondsAfter => _after[cell],
        _ => [.. _before[cell].Zip(_after[cell], (before, after) => (before + after) / 2)],
    };

    private List<string> Notes(TrainOptions options) =>
    [
        string.Create(CultureInfo.InvariantCulture,
            $"On {backend.Name}; the median of the steps but the first {Skipped}, {options.LimitTrain} images in batches of {options.Batch}, times the steps of an epoch; {plan.Seeds} rounds."),
        "The paper's are of one RTX 4090. After K the threshold is above every loss: DOM acts on every sample, the most that it can cost.",
        "Peak memory of the device: " + string.Join(", ", _peaks.Select(peak =>
            string.Create(CultureInfo.InvariantCulture, $"{PaperNames.LabelOf(peak.Key.Method)} {peak.Value / 1e6:N0} MB"))) + ".",
    ];

    private static double MedianOf(List<double> times)
    {
        double[] kept = [.. times.Skip(times.Count > Skipped ? Skipped : 0).Order()];
        return (kept[(kept.Length - 1) / 2] + kept[kept.Length / 2]) / 2;
    }
}
