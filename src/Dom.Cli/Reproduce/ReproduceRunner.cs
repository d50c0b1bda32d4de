using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Reproduce;

/// <summary>How a reproduction ended.</summary>
/// <param name="ExitCode">What the command returns.</param>
/// <param name="Figures">The table.</param>
internal sealed record ReproduceOutcome(int ExitCode, ReproduceFigures Figures);

/// <summary>Accuracy of a network under AutoAttack.</summary>
/// <param name="planned">The run that it is of.</param>
/// <param name="checkpoint">File of the network.</param>
/// <param name="which">"best" or "last".</param>
/// <param name="backend">Where to compute.</param>
/// <param name="cancel">Stops.</param>
/// <returns>The share of test images that are right before and after it, 0..1.</returns>
internal delegate double AutoAttackMeasure(PlannedRun planned, string checkpoint, string which, IBackend backend, CancellationToken cancel);

/// <summary>Does the runs of a plan one after the other, those that are not finished, and writes the table after each.</summary>
/// <param name="plan">The plan.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="screen">Where it is shown.</param>
internal sealed class ReproduceRunner(ReproductionPlan plan, IBackend backend, Screen screen)
{
    private readonly List<string> _failures = [];

    /// <summary>Steps between checkpoints inside an epoch; 0 for none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Runs AutoAttack on the networks of adversarial training; null where it is left out: its columns are then not measured.</summary>
    public AutoAttackMeasure? AutoAttack { get; init; }

    /// <summary>Does what is left. A run that diverges, or that another process has begun, is noted, and the others go on.</summary>
    /// <exception cref="InUseException">Another process does one of the rows.</exception>
    public ReproduceOutcome Execute(CancellationToken cancel)
    {
        // A folder with other runs, and another process, are found before the first hour is spent.
        int finished = plan.Runs.Count(run => FinishedRun.Read(run) is not null);
        using var rows = RowLocks.Take(plan);
        screen.Writer.WriteLine(plan.Title);
        screen.Writer.WriteLine($"{plan.Runs.Count} runs, {finished} of them finished before; results in {plan.Output}");
        if (rows.Warning is { } warning)
            screen.Writer.WriteLine($"warning: {warning}");
        bool isInterrupted = false;
        for (int i = 0; i < plan.Runs.Count && !isInterrupted; i++)
        {
            isInterrupted = cancel.IsCancellationRequested || !Do(plan.Runs[i], $"[{i + 1}/{plan.Runs.Count}]", cancel);
            if (!isInterrupted)
                WriteTable("running");
        }
        var figures = WriteTable(isInterrupted ? "interrupted" : _failures.Count > 0 ? "failed" : "finished");
        screen.Writer.WriteLine();
        screen.Writer.Write(ReproductionTable.Text(plan, CellFigures.Of(plan), Notes()));
        screen.Writer.WriteLine($"written to {Path.Combine(plan.Output, TableFiles.NameOf(plan.Table, "txt"))}, .csv and .json");
        foreach (string failure in _failures)
            screen.Writer.WriteLine(failure);
        if (isInterrupted)
            screen.Writer.WriteLine("Interrupted; everything is saved. The same command goes on.");
        return new ReproduceOutcome(isInterrupted ? ExitCode.Interrupted : _failures.Count > 0 ? ExitCode.Failed : ExitCode.Done, figures);
    }

    /// <summary>Whether the run is done, or has failed: false where it was interrupted.</summary>
    private bool Do(PlannedRun planned, string number, CancellationToken cancel)
    {
        string name = $"{number} {planned.Cell.Preset}, seed {planned.Options.Seed}";
        try
        {
            if (FinishedRun.Read(planned) is null)
            {
                screen.Writer.WriteLine();
                screen.Writer.WriteLine($"{name}, in {planned.Folder.Path}");
                if (!Train(planned, cancel))
                    return false;
            }
            return Measure(planned, name, cancel);
        }
        catch (Exception e) when (e is DivergedException or InUseException)
        {
            // The rows are this process's, but a person may have started a single run by hand.
            _failures.Add($"{name} failed: {e.Message}");
            screen.Writer.WriteLine(_failures[^1]);
            return true;
        }
    }

    private bool Train(PlannedRun planned, CancellationToken cancel)
    {
        string folder = planned.Folder.Path;
        int threads = TrainCommand.ThreadsOf(backend);
        using var run = File.Exists(planned.Folder.DescriptionFile)
            ? TrainingRun.Resume(folder, backend, threads, ReadingLine.On(screen))
            : TrainingRun.Start(
                planned.Options, folder, backend, threads, ReproduceListing.Command(planned, plan.Changes, null), SharedOptions.NameOfConvolution(backend),
                reading: ReadingLine.On(screen));
        run.CheckpointEvery = CheckpointEvery;
        var progress = new TrainProgress(screen, run);
        RunResult result;
        using (cancel.Register(() => progress.Say("Stopping: the step is finished and saved first. Ctrl-C again ends at once.")))
        {
            try
            {
                result = run.Execute(progress, cancel);
            }
            finally
            {
                progress.End();
            }
        }
        TrainCommand.WriteReport(run);
        return result.IsFinished;
    }

    /// <summary>What the table shows and the run does not know: AutoAttack. False where it was interrupted.</summary>
    private bool Measure(PlannedRun planned, string name, CancellationToken cancel)
    {
        if (AutoAttack is null || !plan.Table.Measures.Contains(PaperMeasure.LastAutoAttack))
            return true;
        var figures = FinishedRun.ReadAutoAttack(planned.Folder) ?? new AutoAttackAccuracy(null, null);
        try
        {
            if (figures.Best is null && plan.Table.Measures.Contains(PaperMeasure.BestAutoAttack))
                Keep(figures = figures with { Best = Run(planned.Folder.BestRobust, "best") });
            if (figures.Last is null)
                Keep(figures with { Last = Run(planned.Folder.Last, "last") });
            return true;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return false;
        }

        void Keep(AutoAttackAccuracy found) => FinishedRun.WriteAutoAttack(planned.Folder, found);

        double Run(string checkpoint, string which)
        {
            screen.Writer.WriteLine($"{name}: AutoAttack on the {which} checkpoint");
            return AutoAttack(planned, checkpoint, which, backend, cancel);
        }
    }

    private ReproduceFigures WriteTable(string status)
    {
        var numbers = CellFigures.Of(plan);
        var notes = Notes();
        var figures = ReproduceFigures.Of(plan, status, numbers, notes);
        TableFiles.Write(plan, ReproductionTable.Text(plan, numbers, notes), ReproductionTable.Csv(plan, numbers), JsonLine.Of(figures));
        return figures;
    }

    private List<string> Notes()
    {
        int finished = plan.Runs.Count(run => FinishedRun.Read(run) is not null);
        var notes = new List<string>
        {
            $"{finished} of {plan.Runs.Count} runs are finished. Deviations are those of the sample (n - 1); the paper does not say which it prints (INFER).",
        };
        if (plan.Table.Measures.Contains(PaperMeasure.LastPgd))
        {
            notes.Add("Robust accuracy is never one number: DOM_RE raises that under PGD-20 while AutoAttack finds less than in the baseline.");
            if (AutoAttack is null)
                notes.Add("AutoAttack was left out; the same command without --no-autoattack measures it.");
        }
        notes.AddRange(plan.Cells.Where(cell => cell.Inferred is not null).GroupBy(cell => cell.Inferred!)
            .Select(group => $"INFER, {string.Join(", ", group.Select(cell => cell.Name))}: {group.Key}."));
        return notes;
    }
}
