using System.Globalization;
using Dom.Train.Reports;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Reproduce;

/// <summary>What <c>dom reproduce</c> shows without running anything.</summary>
internal static class ReproduceListing
{
    // What tells rows of a table apart; the rest is the same for all and in run.json.
    private static readonly string[] s_shown =
    [
        "--data", "--model", "--epochs", "--batch", "--lr", "--schedule", "--crop-padding", "--augment", "--attack", "--epsilon", "--step-size", "--step-size-ramp", "--steps",
        "--dom", "--threshold", "--threshold-kind", "--threshold-factor", "--warmup", "--dom-mode", "--dom-augmentation", "--dom-strength", "--dom-tries",
        "--aug-draw", "--limit-train", "--limit-test",
    ];

    /// <summary>The tables: what they show, what data they need and how long they take.</summary>
    public static void Tables(Screen screen, int seeds)
    {
        screen.Table(["table", "", "data", "rows", $"hours, {seeds} {(seeds == 1 ? "seed" : "seeds")}"], PaperTables.All.Select(table => new[]
        {
            $"{table.Number}",
            table.Title,
            string.Join(", ", table.Cells.Select(cell => cell.Options.Data).Distinct()),
            $"{table.Cells.Count}",
            table.Number == 13 ? "minutes" : (seeds * table.Cells.Sum(HoursOf)).ToString("N0", CultureInfo.InvariantCulture),
        }));
        screen.Writer.WriteLine(FormattableString.Invariant(
            $"Hours are for a device that trains PreActResNet-18 on CIFAR-10 at {CostEstimate.PaperSecondsAnEpoch} s an epoch, as the paper's GPU did;"));
        screen.Writer.WriteLine("augmentation and AutoAttack come on top. A run of 300 epochs on CIFAR-10 keeps some 600 MB, most of it the ledger.");
        screen.Writer.WriteLine("'dom data download NAME' brings the data; 'dom reproduce N --dry-run' shows the rows of a table; --scale 0.1 is a hundredth of the work.");
        screen.Writer.WriteLine("Table 10 (a pre-trained vision transformer) is not part of this version.");
    }

    /// <summary>The runs of a plan: settings, state and command.</summary>
    public static void Plan(Screen screen, ReproductionPlan plan, string? device)
    {
        var writer = screen.Writer;
        writer.WriteLine(plan.Title);
        if (plan.Table.Number == 13)
        {
            writer.WriteLine($"Times ten steps of every method before and after K, {plan.Seeds} rounds, without a run's folder: "
                + string.Join(", ", plan.Cells.Select(cell => cell.Name)) + ".");
            return;
        }
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Cells.Count} rows, {plan.Seeds} {(plan.Seeds == 1 ? "seed" : "seeds")}, {plan.Runs.Count} runs, into {plan.Output}"));
        foreach (var cell in plan.Runs.GroupBy(run => run.Cell))
        {
            writer.WriteLine();
            writer.WriteLine(cell.Key.Preset + (ReproductionPlan.FirstOf(cell.Key) is var first && first != cell.Key ? $" (the same runs as {first.Preset})" : ""));
            var items = new List<(string, string)>
            {
                ("  settings", string.Join(", ", OptionTexts.Of(cell.First().Options).Where(text => s_shown.Contains(text.Name)).Select(text => $"{text.Name.TrimStart('-')} {text.Value}"))),
                ("  published", string.Join(", ", plan.Table.Measures.Select((measure, i) => $"{PaperMeasures.LabelOf(measure)} {cell.Key.Published[i]}"))),
            };
            if (cell.Key.Inferred is { } inferred)
                items.Add(("  INFER", inferred));
            screen.List(items);
            foreach (var run in cell)
                writer.WriteLine($"  {StateOf(run)}: {Command(run, plan.Changes, device)}");
        }
    }

    /// <summary>The command that does a run alone.</summary>
    public static string Command(PlannedRun run, ReproductionChanges changes, string? device)
    {
        var options = run.Options;
        var words = new List<string> { "dom", "train", "--preset", run.Cell.Preset };
        Add("--data", changes.Data);
        Add("--data-dir", changes.DataDirectory);
        Add("--model", changes.Model);
        Add("--precision", changes.Precision is { } precision ? OptionTexts.NameOf(precision) : null);
        Add("--epochs", options.Epochs != run.Cell.Options.Epochs ? $"{options.Epochs}" : null);
        Add("--batch", changes.Batch?.ToString(CultureInfo.InvariantCulture));
        Add("--limit-train", options.LimitTrain?.ToString(CultureInfo.InvariantCulture));
        Add("--limit-test", options.LimitTest?.ToString(CultureInfo.InvariantCulture));
        Add("--seed", $"{options.Seed}");
        Add("--device", device);
        Add("--out", run.Folder.Path);
        return string.Join(' ', words);

        void Add(string option, string? value)
        {
            if (value is not null)
                words.AddRange([option, TrainCommand.Quoted(value)]);
        }
    }

    private static string StateOf(PlannedRun run)
    {
        if (!File.Exists(run.Folder.DescriptionFile))
            return "not begun";
        return FinishedRun.Read(run) is not null ? "finished" : $"{run.Folder.ReadMetrics().Count} of {run.Options.Epochs} epochs done";
    }

    private static double HoursOf(PaperCell cell)
    {
        var (train, test) = new ReproductionChanges().SizesOf(cell.Options.Data);
        return CostEstimate.Hours(cell.Options, train, test);
    }
}
