using System.CommandLine;
using Dom.Cli.Reproduce;
using Dom.Nn.Models;
using Dom.Train;
using Dom.Train.Data;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom reproduce</c>: runs a table of the DOM paper and prints it beside the published one.</summary>
internal sealed class ReproduceCommand
{
    private const int TimedTable = 13;

    private readonly Argument<string?> _table = new("TABLE")
    {
        Description = $"Number of the table: {string.Join(", ", PaperTables.All.Select(table => table.Number))}. Without it the tables are listed.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _seeds = Given.Option("--seeds", "N", "Runs of every row, with the seeds 0 to N - 1; of table 13 rounds. Default: 3, as in the paper.");

    private readonly Option<string?> _cells = Given.Option("--cells", "FILTER",
        "Take only rows whose names match: parts of the name such as remove, cifar10/remove or 'augment-*', with commas between alternatives. Default: all.");

    private readonly Option<string?> _output = Given.Option("--output", "DIR",
        "Folder of the results and of the runs. Default: reproduce, or reproduce-CHANGES where something is changed.");

    private readonly Option<bool> _dryRun = Given.Switch("--dry-run", "Show the rows, their settings, what is done already, and the commands that would run; do nothing.");

    private readonly Option<string?> _scale = Given.Option("--scale", "F",
        "Multiply epochs and images by F, above 0 and at most 1: 0.1 is a hundredth of the work. K and the learning rate keep their shares. The results say 'scaled'.");

    private readonly Option<string?> _data = Given.Option("--data", "NAME|PATH", $"Another data set than the paper's ({string.Join(", ", DataSets.Names)}) or a folder of one.");
    private readonly Option<string?> _dataDirectory = SharedOptions.DataDirectory();
    private readonly Option<string?> _model = Given.Option("--model", "NAME", $"Another network than the paper's: {string.Join(", ", ModelCatalog.Names)}.");
    private readonly Option<string?> _precision = SharedOptions.Precision("Default: f32.");
    private readonly Option<string?> _epochs = Given.Option("--epochs", "N", "Another number of epochs, in place of the scaled one.");
    private readonly Option<string?> _batch = Given.Option("--batch", "N", "Images in a step. Default: the paper's 128.");
    private readonly Option<string?> _limitTrain = Given.Option("--limit-train", "N", "Take N training images, evenly over the classes, in place of the scaled number.");
    private readonly Option<string?> _limitTest = Given.Option("--limit-test", "N", "Take N test images, evenly over the classes, in place of the scaled number.");
    private readonly Option<string?> _checkpointEvery = Given.Option("--checkpoint-every", "N", "Write a checkpoint every N steps besides the one after each epoch. Default: 0, none.");
    private readonly Option<bool> _noAutoAttack = Given.Switch("--no-autoattack",
        "Leave AutoAttack out: its columns say 'not measured'. The same command without this option fills them in later.");

    private readonly Option<string?> _device = SharedOptions.Device();
    private readonly Option<string?> _threads = SharedOptions.Threads();
    private readonly Option<bool> _json = SharedOptions.Json();

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var reproduce = new ReproduceCommand();
        var command = new Command("reproduce",
            "Runs a table of the DOM paper, row by row and seed by seed, and prints mean and deviation beside the published numbers. Every run is a run of 'dom train' "
            + "in a folder of its own; finished ones are not done again, and the same command goes on after Ctrl-C or a crash.");
        command.Add(reproduce._table);
        foreach (var option in new Option[]
        {
            reproduce._seeds, reproduce._cells, reproduce._output, reproduce._dryRun, reproduce._scale, reproduce._data, reproduce._dataDirectory, reproduce._model,
            reproduce._precision, reproduce._epochs, reproduce._batch, reproduce._limitTrain, reproduce._limitTest, reproduce._checkpointEvery, reproduce._noAutoAttack, reproduce._device,
            reproduce._threads, reproduce._json,
        })
            command.Add(option);
        command.SetAction((parse, cancel) => Task.FromResult(reproduce.Execute(parse, cancel)));
        return command;
    }

    private int Execute(ParseResult parse, CancellationToken cancel)
    {
        bool json = parse.GetValue(_json);
        var screen = new Screen(json ? parse.InvocationConfiguration.Error : parse.InvocationConfiguration.Output);
        int seeds = parse.Whole(_seeds) ?? 3;
        if (seeds is < 1 or > 1000)
            throw new OptionException($"--seeds is {seeds}; it must be 1 to 1000 runs of every row (3 in the paper).");
        if (parse.GetValue(_table) is not { } number)
        {
            ReproduceListing.Tables(screen, seeds);
            return ExitCode.Done;
        }
        var table = PaperTables.Of(NumberOf(number));
        var changes = Changes(parse);
        var plan = new ReproductionPlan(
            table, changes, seeds, parse.Text(_output) ?? DefaultOutput(changes), CellFilter.Choose(table.Cells, parse.Text(_cells)));
        bool isTimed = table.Number == TimedTable;
        if (isTimed && (changes.Scale < 1 || changes.Epochs is not null))
            throw new OptionException($"Table {TimedTable} is timed and not trained, so --scale and --epochs mean nothing for it; --limit-train says how many images.");
        foreach (var run in plan.Runs)
            run.Options.Validate();
        if (parse.GetValue(_dryRun))
        {
            ReproduceListing.Plan(screen, plan, parse.Text(_device));
            return ExitCode.Done;
        }
        int checkpointEvery = parse.Whole(_checkpointEvery) ?? 0;
        if (checkpointEvery < 0)
            throw new OptionException($"{_checkpointEvery.Name} is {checkpointEvery}; it must be 0 (only after each epoch) or more steps.");

        string? remark = null;
        using var backend = Devices.Open(parse.Text(_device) ?? "auto", parse.Whole(_threads) ?? 0, remark: said => remark = said);
        if (remark is not null)
            screen.Writer.WriteLine(Devices.Line(backend, remark));
        var outcome = isTimed
            ? new ReproduceTimes(plan, backend, screen).Execute(cancel)
            : new ReproduceRunner(plan, backend, screen)
            {
                CheckpointEvery = checkpointEvery,
                AutoAttack = parse.GetValue(_noAutoAttack) ? null : new ReproduceAutoAttack(screen).Measure,
            }.Execute(cancel);
        if (json)
            parse.InvocationConfiguration.Output.WriteLine(JsonLine.Of(outcome.Figures));
        return outcome.ExitCode;
    }

    private ReproductionChanges Changes(ParseResult parse)
    {
        var changes = new ReproductionChanges
        {
            Scale = parse.Number(_scale) ?? 1,
            Data = parse.DataSet(_data),
            DataDirectory = parse.Text(_dataDirectory),
            Model = parse.Model(_model),
            Precision = parse.Precision(_precision),
            Epochs = parse.Whole(_epochs),
            Batch = parse.Whole(_batch),
            LimitTrain = parse.Whole(_limitTrain),
            LimitTest = parse.Whole(_limitTest),
        };
        changes.Validate();
        return changes;
    }

    private static int NumberOf(string text)
    {
        string digits = text.StartsWith("table", StringComparison.OrdinalIgnoreCase) ? text[5..].TrimStart(' ', '-') : text;
        return int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number) ? number
            : throw new OptionException($"TABLE is '{text}'; it must be a number of {string.Join(", ", PaperTables.All.Select(table => table.Number))}.");
    }

    // Runs with other settings must not meet in a folder.
    private static string DefaultOutput(ReproductionChanges changes) => changes.Title.Length == 0
        ? "reproduce"
        : "reproduce-" + string.Concat(changes.Title.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-')).Replace("--", "-", StringComparison.Ordinal);
}
