using System.CommandLine;
using System.Text;
using Dom.Cli.Ledger;
using Dom.Train;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom ledger RUN [summary | export | scores]</c>: reads what a run wrote about every sample.</summary>
internal static class LedgerCommand
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "Folder of a run, or the ledger/ in it." };
        var threshold = new Option<double?>("--threshold")
        {
            Description = $"T in nats: a loss below it is high confidence. Default: the run's, else {RunLedger.DefaultThreshold}.",
            HelpName = "T",
        };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("ledger",
            "Reads the ledger of a run: loss, margin and prediction of every sample at every epoch. Without a further word, its summary. "
            + "What is printed counts epochs from 1; CSV files count from 0, as rows in numpy do.")
        {
            run, threshold, json, Summary(run, threshold, json), Export(run), Scores(run, threshold),
        };
        command.SetAction(result => Summarize(result, run, threshold, json));
        return command;
    }

    private static Command Summary(Argument<string> run, Option<double?> threshold, Option<bool> json)
    {
        var command = new Command("summary",
            "Prints mean loss, accuracy, shares of the loss ranges and of high confidence, epoch by epoch; right and wrong labels apart where some are wrong.")
        { threshold, json };
        command.SetAction(result => Summarize(result, run, threshold, json));
        return command;
    }

    private static int Summarize(ParseResult result, Argument<string> run, Option<double?> threshold, Option<bool> json)
    {
        var ledger = RunLedger.Open(result.GetRequiredValue(run));
        var summary = new SummaryText(ledger, ledger.ThresholdOr(result.GetValue(threshold)));
        var output = result.InvocationConfiguration.Output;
        if (result.GetValue(json))
            output.WriteLine(summary.ToJson());
        else
            output.Write(summary.ToText());
        return ExitCode.Done;
    }

    private static Command Export(Argument<string> run)
    {
        var file = FileOption();
        var epochs = new Option<string?>("--epochs")
        {
            Description = "Epochs to write, counted from 1, both ends included: A..B, A.., ..B or A. Default: all.",
            HelpName = "A..B",
        };
        var command = new Command("export",
            "Writes the ledger as CSV, one line a sample and epoch. The column epoch counts from 0, as rows in numpy do: "
            + "--epochs 1..10 writes the epochs 0 to 9.")
        { file, epochs };
        command.SetAction(result =>
        {
            var store = RunLedger.Open(result.GetRequiredValue(run)).Store;
            var range = EpochRange.Parse(result.GetValue(epochs), store.Epochs);
            Write(result, file, writer => LedgerCsv.Export(store, writer, range.First, range.End),
                $"{store.Samples:N0} samples, {range.End - range.First} epochs");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Scores(Argument<string> run, Option<double?> threshold)
    {
        var file = FileOption();
        var warmup = new Option<int?>("--warmup")
        {
            Description = "K in epochs: over-memorized is a sample whose loss was T or more at the end of epoch K and is below T later. "
                + "Default: the run's, else half of the epochs.",
            HelpName = "K",
        };
        var command = new Command("scores",
            "Writes scores of every sample as CSV: first epoch at which it was learned, forgetting events, mean loss (CSL), mean margin (AUM), "
            + "first epoch at which it was over-memorized. Epochs count from 0, -1 stands for never.")
        { file, threshold, warmup };
        command.SetAction(result =>
        {
            var ledger = RunLedger.Open(result.GetRequiredValue(run));
            float t = ledger.ThresholdOr(result.GetValue(threshold));
            int k = ledger.WarmupOr(result.GetValue(warmup));
            if (ledger.Store.Epochs == 0)
                throw new OptionException($"{ledger.Store.Folder}: no epoch has ended yet; there is nothing to score.");
            Write(result, file, writer => ScoresCsv.Write(ledger.Store, writer, k, t), $"{ledger.Store.Samples:N0} samples, T = {t} nats, K = {k}");
            if (!ScoresCsv.CanTellOverMemorization(ledger.Store, k))
                result.InvocationConfiguration.Error.WriteLine($"Over-memorization cannot be told: the warm-up is {k} epochs, the ledger has "
                    + $"{ledger.Store.Epochs}, and the loss at the end of the warm-up is what later losses are compared with. Give --warmup.");
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<string?> FileOption() =>
        new("--out") { Description = "File to write, as a whole or not at all. Default: print it.", HelpName = "FILE.csv" };

    private static void Write(ParseResult result, Option<string?> file, Action<TextWriter> write, string what)
    {
        if (result.GetValue(file) is not { } path)
        {
            write(result.InvocationConfiguration.Output);
            return;
        }
        if (Directory.Exists(path))
            throw new OptionException($"--out {path}: this is a folder; give the name of a file.");
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
            write(writer);
        });
        result.InvocationConfiguration.Output.WriteLine($"{path}: {what}.");
    }
}
