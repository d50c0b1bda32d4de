using System.CommandLine;
using Dom.Cli.Bench;
using Dom.Tensors.Backend;
using Dom.Train.Measurement;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom bench</c>: what a person's own machine can do, and how much of it is reached, in under a minute; or steps of a network on any device.</summary>
internal sealed class BenchCommand
{
    private const int MostBatch = 1 << 16;

    private readonly BenchPlan _machine;
    private readonly StepBenchPlan _steps;

    private readonly Option<string?> _device = Given.Option("--device", Devices.Values, Devices.Help + " Default: cpu, and auto where steps are measured.");
    private readonly Option<string?> _threads = SharedOptions.Threads();

    private readonly Option<string?> _work = Given.Option("--work", "LIST",
        "Measure these steps: train, infer, pgd (an adversarial training step with PGD-10), with commas between them. Default: train,infer.");

    private readonly Option<string?> _model = Given.Option("--model", "NAME", "Of this network, on 32x32 images. Default: preact-resnet18.");
    private readonly Option<string?> _batch = Given.Option("--batch", "LIST", "With so many images in a step; more than one number with commas between them. Default: 128.");
    private readonly Option<string?> _precision = SharedOptions.Precision("Default: f32.");
    private readonly Option<string?> _rounds = Given.Option("--rounds", "N", "Measure N steps of each kind, after 5 to warm up.");
    private readonly Option<string?> _seconds = Given.Option("--seconds", "S", "Or as many as fill S seconds, at least 3. Default: 2.");

    private readonly Option<bool> _calls = Given.Switch("--calls",
        "Measure every kernel call of a step too, and set it beside what the device could do.");

    private readonly Option<string?> _peak = Given.Option("--peak", "TFLOPS",
        "Multiplications and additions a second, in 10^12, that another program reached on this device: with --calls the peak is this number where it is larger than what is measured.");

    private readonly Option<bool> _ladder = Given.Switch("--ladder",
        "Measure the ladder instead: one matrix product on a GPU in kernels from the formula to tensor cores, each checked before it is timed; --peak then takes two numbers, "
        + "for f32 and for bf16, with a comma between them.");

    private readonly Option<string?> _size = Given.Option("--size", "N|MxNxK",
        "With --ladder: multiply matrices of NxN, or MxK by KxN. Default: 4096.");

    private readonly Option<bool> _json = Given.Switch("--json", "Print one line of JSON; where steps are measured, the tables go to standard error.");

    private readonly LadderBenchPlan _rungs;

    private BenchCommand(BenchPlan machine, StepBenchPlan steps, LadderBenchPlan rungs) => (_machine, _steps, _rungs) = (machine, steps, rungs);

    /// <summary>The command.</summary>
    public static Command Create() => Create(new BenchPlan(), new StepBenchPlan(), new LadderBenchPlan());

    /// <summary>The command with other sizes.</summary>
    internal static Command Create(BenchPlan machine, StepBenchPlan steps, LadderBenchPlan rungs)
    {
        var bench = new BenchCommand(machine, steps, rungs);
        var command = new Command("bench",
            "Measures this machine in under a minute: the peak of its processor and the bandwidth of its memory, how close a 3x3 convolution comes to "
            + "them, and images per second of two networks in training and inference. With another --device, or with any of --work, --model, --batch, --precision, --rounds, "
            + "--seconds and --calls, it measures steps of one network on that device instead. Medians; close other programs first.");
        foreach (var option in new Option[]
        {
            bench._device, bench._threads, bench._work, bench._model, bench._batch, bench._precision, bench._rounds, bench._seconds, bench._calls, bench._peak,
            bench._ladder, bench._size, bench._json,
        })
            command.Add(option);
        command.SetAction(bench.Execute);
        return command;
    }

    private int Execute(ParseResult parse)
    {
        int threads = parse.Whole(_threads) ?? 0;
        if (threads is < 0 or > 1024)
            throw new OptionException($"--threads is {threads}; it must be 0 (all cores) to 1024.");
        var output = parse.InvocationConfiguration.Output;
        var error = parse.InvocationConfiguration.Error;
        bool json = parse.GetValue(_json);
        var live = new LiveLine(new Screen(error));
        if (parse.Has(_size) && !parse.GetValue(_ladder))
            throw new OptionException($"{_size.Name} is that of the matrices of {_ladder.Name}; give both.");
        if (parse.GetValue(_ladder))
        {
            var rungs = LadderPlanOf(parse);
            Show(Opened(parse, threads, "cuda:0", backend => new LadderBench(backend, rungs, live.Show).Run()));
            return ExitCode.Done;
        }
        bool steps = new Option[] { _work, _model, _batch, _precision, _rounds, _seconds, _calls, _peak }.Any(parse.Has)
            || (parse.Text(_device) is { } named && !named.Equals("cpu", StringComparison.OrdinalIgnoreCase));
        if (!steps)
        {
            var machine = new MachineBench(threads, _machine, live.Show).Run();
            live.Clear();
            if (json)
                output.WriteLine(JsonLine.Of(machine));
            else
                output.Write(machine);
            return ExitCode.Done;
        }
        var plan = PlanOf(parse);
        Show(Opened(parse, threads, "auto", backend => new StepBench(backend, plan, live.Show).Run()));
        return ExitCode.Done;

        void Show<T>(T figures)
        {
            live.Clear();
            (json ? error : output).Write(figures);
            if (json)
                output.WriteLine(JsonLine.Of(figures));
        }
    }

    /// <summary>What is measured on the device that was asked for.</summary>
    private T Opened<T>(ParseResult parse, int threads, string otherwise, Func<IBackend, T> measure)
    {
        string? remark = null;
        using var backend = Devices.Open(parse.Text(_device) ?? otherwise, threads, remark: said => remark = said);
        if (remark is not null)
            parse.InvocationConfiguration.Error.WriteLine(Devices.Line(backend, remark));
        return measure(backend);
    }

    private LadderBenchPlan LadderPlanOf(ParseResult parse)
    {
        if (Array.Find(new Option[] { _threads, _work, _model, _batch, _precision, _rounds, _seconds, _calls }, parse.Has) is { } other)
            throw new OptionException($"{_ladder.Name} measures matrix products, no steps of a network; leave out {other.Name}.");
        return _rungs with
        {
            Size = parse.Text(_size) is { } size ? MatrixSizes.Parse(_size.Name, size) : _rungs.Size,
            Peaks = parse.Text(_peak) is { } peaks ? LadderBenchPlan.PeaksOf(_peak.Name, peaks) : _rungs.Peaks,
        };
    }

    private StepBenchPlan PlanOf(ParseResult parse)
    {
        if (parse.Has(_rounds) && parse.Has(_seconds))
            throw new OptionException($"{_rounds.Name} and {_seconds.Name} both say how long to measure; give one of them.");
        if (parse.Has(_peak) && !parse.GetValue(_calls))
            throw new OptionException($"{_peak.Name} is what kernel calls are held against; it needs {_calls.Name}.");
        int? rounds = parse.Whole(_rounds);
        if (rounds < 1)
            throw new OptionException($"{_rounds.Name} is {rounds}; it must be at least 1.");
        double seconds = parse.Number(_seconds) ?? _steps.Seconds, peak = parse.Number(_peak) ?? 0;
        if (!double.IsFinite(seconds) || seconds < 0)
            throw new OptionException($"{_seconds.Name} is {seconds}; it must be 0 (3 steps) or more.");
        if (!double.IsFinite(peak) || (parse.Has(_peak) && peak <= 0))
            throw new OptionException($"{_peak.Name} is {peak}; it must be above 0, in 10^12 a second: 800 stands for 800 TFLOP/s.");
        return _steps with
        {
            Model = parse.Model(_model) ?? _steps.Model,
            Precision = parse.Precision(_precision) ?? _steps.Precision,
            Works = parse.Names(_work, StepWorkload.Works) ?? _steps.Works,
            Batches = parse.WholeNumbers(_batch, 1, MostBatch) ?? _steps.Batches,
            Rounds = rounds,
            Seconds = seconds,
            Calls = parse.GetValue(_calls),
            Peak = 1e12 * peak,
        };
    }
}
