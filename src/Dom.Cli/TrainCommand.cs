using System.CommandLine;
using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom train</c>: starts a run or goes on with one.</summary>
internal sealed class TrainCommand
{
    private readonly TrainArguments _arguments = new();
    private readonly Option<string?> _device = SharedOptions.Device();
    private readonly Option<string?> _threads = SharedOptions.Threads();
    private readonly Option<string?> _profile = SharedOptions.Profile();
    private readonly Option<string?> _convolution = SharedOptions.Convolution(
        "Written into run.json, and the same when the run is resumed. Default: auto, by shape.");

    private readonly Option<bool> _json = SharedOptions.Json();

    private readonly Option<string?> _out = Given.Option("--out", "DIR",
        "Folder of the run, new or empty: run.json, metrics.jsonl, ledger/, checkpoints/, report.html. Default: runs/DATA-MODEL-TIME.");

    private readonly Option<string?> _resume = Given.Option("--resume", "DIR",
        "Go on with the run in this folder, to the same bits as if it had never stopped.");

    private readonly Option<string?> _checkpointEvery = Given.Option("--checkpoint-every", "N",
        "Write a checkpoint every N steps besides the one after each epoch. Default: 0, none.");

    private readonly Option<bool> _logSteps = Given.Switch("--log-steps",
        "Keep the mean loss and the learning rate of every step, in steps.jsonl in the run's folder, also when the run is resumed.");

    private readonly Option<string?> _listPresets = new("--list-presets")
    {
        HelpName = "FILTER",
        Arity = System.CommandLine.ArgumentArity.ZeroOrOne,
        Description = "List the presets and end. With a filter those whose names match, such as table3, cifar10/remove or 'dom-*'.",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var train = new TrainCommand();
        var command = new Command("train",
            "Trains a network and keeps the loss of every training image in every epoch. Without options: the embedded images with 20 % wrong "
            + "labels, so that memorization shows. Ctrl-C finishes the step, saves, and says how to go on.");
        train._arguments.AddTo(command);
        foreach (var option in new Option[]
        {
            train._device, train._threads, train._convolution, train._out, train._resume, train._checkpointEvery, train._logSteps, train._profile, train._listPresets, train._json,
        })
            command.Add(option);
        command.SetAction((parse, cancel) => Task.FromResult(train.Execute(parse, cancel)));
        return command;
    }

    private int Execute(ParseResult parse, CancellationToken cancel)
    {
        bool json = parse.GetValue(_json);
        var screen = new Screen(json ? parse.InvocationConfiguration.Error : parse.InvocationConfiguration.Output);
        if (parse.Has(_listPresets))
        {
            PresetListing.Print(screen, parse.Text(_listPresets));
            return ExitCode.Done;
        }
        int checkpointEvery = parse.Whole(_checkpointEvery) ?? 0;
        if (checkpointEvery < 0)
            throw new OptionException($"{_checkpointEvery.Name} is {checkpointEvery}; it must be 0 (only after each epoch) or more steps.");
        int threads = parse.Whole(_threads) ?? 0;
        var figures = parse.Text(_resume) is { } folder
            ? Resume(parse, folder, threads, checkpointEvery, screen, cancel)
            : Start(parse, threads, checkpointEvery, screen, cancel);
        if (json)
            parse.InvocationConfiguration.Output.WriteLine(JsonLine.Of(figures));
        return figures.Status switch { "finished" => ExitCode.Done, "collapsed" => ExitCode.Collapsed, _ => ExitCode.Interrupted };
    }

    private TrainFigures Start(ParseResult parse, int threads, int checkpointEvery, Screen screen, CancellationToken cancel)
    {
        var options = _arguments.Resolve(parse);
        string folder = parse.Text(_out) ?? NewFolder(options);
        var convolution = parse.Convolution(_convolution) ?? ConvolutionMethod.Auto;
        string? remark = null;
        using var backend = Profile.Open(
            parse.Text(_profile), () => Devices.Open(parse.Text(_device) ?? "auto", threads, convolution, said => remark = said), out var profile);
        string typed = string.Join(' ', parse.Tokens.Select(token => Quoted(token.Value)).Prepend("dom"));
        using var run = TrainingRun.Start(options, folder, backend, ThreadsOf(backend), typed, SharedOptions.NameOfConvolution(backend), parse.GetValue(_logSteps),
            ReadingLine.On(screen));
        return Run(run, remark, checkpointEvery, screen, profile, cancel);
    }

    private TrainFigures Resume(ParseResult parse, string folder, int threads, int checkpointEvery, Screen screen, CancellationToken cancel)
    {
        Option[] allowed = [_resume, _device, _threads, _checkpointEvery, _profile, _json];
        var others = parse.CommandResult.Command.Options.Where(option => parse.Has(option) && !allowed.Contains(option)).Select(o => o.Name).ToArray();
        if (others.Length > 0)
        {
            throw new OptionException(
                $"{string.Join(", ", others)} cannot be given with --resume: a run goes on as it was started. "
                + $"Only {string.Join(", ", allowed.Skip(1).Select(option => option.Name))} can.");
        }
        var description = new RunFolder(folder).ReadDescription();
        string? remark = null;
        using var backend = Profile.Open(
            parse.Text(_profile),
            () => Devices.Reopen(parse.Text(_device), description.Device, threads, SharedOptions.ConvolutionOf(description), said => remark = said),
            out var profile);
        using var run = TrainingRun.Resume(folder, backend, ThreadsOf(backend), ReadingLine.On(screen));
        return Run(run, remark, checkpointEvery, screen, profile, cancel);
    }

    private static TrainFigures Run(TrainingRun run, string? remark, int checkpointEvery, Screen screen, Profile? profile, CancellationToken cancel)
    {
        run.CheckpointEvery = checkpointEvery;
        var options = run.Description.Options;
        if (run.Trainer.IsFinished)
            screen.Writer.WriteLine($"The run in {run.Folder.Path} is finished; there is nothing left to do.");
        else
            TrainIntroduction.Print(screen, run, remark);
        if (run.LockWarning is { } warning)
            screen.Writer.WriteLine($"warning: {warning}");
        var progress = new TrainProgress(screen, run);
        RunResult result;
        using (cancel.Register(() => progress.Say("Stopping: the step is finished and saved first. Ctrl-C again ends at once.")))
        {
            try
            {
                profile?.Start();
                result = run.Execute(profile is null ? progress : new ProfiledProgress(progress, profile), cancel);
            }
            catch (DivergedException)
            {
                WriteReport(run);
                throw;
            }
            finally
            {
                progress.End();
            }
        }
        var report = WriteReport(run);
        var figures = TrainFigures.Of(run.Folder, options, result.Metrics, report.OverMemorizedCount);
        if (result.IsCollapsed)
            figures = figures with { Status = "collapsed" };
        figures.Print(screen);
        screen.Writer.WriteLine($"report      {run.Folder.ReportFile}");
        screen.Writer.WriteLine($"checkpoint  {run.Folder.Last}");
        profile?.Finish(screen.Writer);
        if (!result.IsFinished)
        {
            screen.Writer.WriteLine(
                (result.IsCollapsed
                    ? $"Stopped after epoch {result.State.Epoch} of {options.Epochs}, as --on-collapse stop asks; everything is saved. "
                    : $"Interrupted in epoch {Math.Min(result.State.Epoch + 1, options.Epochs)} of {options.Epochs}; everything is saved. ")
                + $"Go on with: dom train --resume {Quoted(run.Folder.Path)}");
        }
        return figures;
    }

    /// <summary>Writes a run's report.html.</summary>
    internal static RunReport WriteReport(TrainingRun run)
    {
        var report = RunReportBuilder.Build(run.Folder, run.Data);
        AtomicFile.WriteText(run.Folder.ReportFile, ReportPage.Render(report));
        return report;
    }

    private static string NewFolder(TrainOptions options)
    {
        string data = Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Data));
        string name = string.Create(CultureInfo.InvariantCulture, $"{(data.Length == 0 ? "data" : data)}-{options.Model}-{DateTime.Now:yyyyMMdd-HHmmss}");
        string folder = Path.Combine("runs", name);
        for (int i = 2; Directory.Exists(folder); i++)
            folder = Path.Combine("runs", $"{name}-{i}");
        return folder;
    }

    /// <summary>Threads of a backend, for a run's description.</summary>
    internal static int ThreadsOf(IBackend backend) => backend switch
    {
        DecoratingBackend decorator => ThreadsOf(decorator.Inner),
        CpuBackend cpu => cpu.Threads,
        _ => 1,
    };

    /// <summary>A word as a shell takes it.</summary>
    internal static string Quoted(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=:,+@%\\".Contains(c))
        ? word
        : $"'{word.Replace("'", "'\\''")}'";
}
