using System.CommandLine;
using System.Globalization;
using Dom.Cli.Eval;
using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom eval</c>: accuracy of a checkpoint on clean and on attacked test images.</summary>
internal sealed class EvalCommand
{
    private readonly Option<string?> _checkpoint = Given.Option("--checkpoint", "FILE",
        "A checkpoint of a run, or a state dictionary with PyTorch's names, as safetensors. Required.");

    private readonly Option<string?> _data = Given.Option("--data", "NAME|PATH",
        $"A data set ({string.Join(", ", DataSets.Names)}) or a folder of one. Default: the run's.");

    private readonly Option<string?> _dataDirectory = SharedOptions.DataDirectory();
    private readonly Option<string?> _model = Given.Option("--model", "NAME", $"The network: {string.Join(", ", ModelCatalog.Names)}. Default: the run's.");

    private readonly Option<string?> _precision = SharedOptions.Precision("Default: the run's, or f32.");

    private readonly Option<string?> _attack = Given.Option("--attack", "none|fgsm|rs-fgsm|n-fgsm|pgd|apgd-ce|apgd-t|fab-t|square|autoattack",
        "Attack on the test images; pgd-20 is pgd with 20 steps; autoattack is the standard evaluation of apgd-ce, apgd-t, fab-t and square, in linf. "
        + "Default: the one that tested the run, or none.");

    private readonly Option<string?> _epsilon = Given.Option("--epsilon", "E", "Radius in 1/255 of the pixel range, 0 to 255. Default: the run's, or 8.");
    private readonly Option<string?> _steps = Given.Option("--steps", "N", "Steps of pgd. Default: 20.");

    private readonly Option<string?> _restarts = Given.Option("--restarts", "N",
        "Random starts of pgd, of which each image keeps the one of highest loss; --steps 50 --restarts 10 is PGD-50-10. Default: 1.");

    private readonly Option<string?> _stepSize = Given.Option("--step-size", "S", "Step in 1/255. Default: epsilon for fgsm and n-fgsm, 1.25 epsilon for rs-fgsm, 2 for pgd.");
    private readonly Option<string?> _noiseMagnitude = SharedOptions.NoiseMagnitude();
    private readonly Option<string?> _norm = Given.Option("--norm", "linf|l2", "What the radius limits. Default: the run's, or linf.");
    private readonly Option<string?> _batch = Given.Option("--batch", "N", "Images at once. Default: 256.");
    private readonly Option<string?> _seed = Given.Option("--seed", "N", "Seed of random starts. Default: the run's, or 0.");
    private readonly Option<string?> _limitTest = Given.Option("--limit-test", "N", "Take N test images, evenly over the classes; 0 for all. Default: as in the run, or all.");
    private readonly Option<string?> _device = SharedOptions.Device();
    private readonly Option<string?> _threads = SharedOptions.Threads();
    private readonly Option<string?> _profile = SharedOptions.Profile();
    private readonly Option<string?> _convolution = SharedOptions.Convolution();
    private readonly Option<bool> _json = SharedOptions.Json();
    private readonly AutoAttackArguments _autoAttack = new();

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var eval = new EvalCommand();
        var command = new Command("eval",
            "Measures a network on the test images, clean and under attack. Model and data are read from a run's checkpoint; a plain state dictionary needs --model and --data.");
        foreach (var option in (Option[])
        [
            eval._checkpoint, eval._data, eval._dataDirectory, eval._model, eval._precision, eval._attack, eval._epsilon, eval._steps, eval._restarts, eval._stepSize,
            eval._noiseMagnitude, eval._norm, eval._batch, eval._seed, .. eval._autoAttack.Options, eval._limitTest, eval._device, eval._threads, eval._convolution,
            eval._profile, eval._json,
        ])
            command.Add(option);
        command.SetAction((parse, cancel) => Task.FromResult(eval.Execute(parse, cancel)));
        return command;
    }

    private int Execute(ParseResult parse, CancellationToken cancel)
    {
        string path = parse.Text(_checkpoint) ?? throw new OptionException(
            "--checkpoint is missing; give a file such as runs/NAME/checkpoints/last.safetensors.");
        bool json = parse.GetValue(_json);
        var screen = new Screen(json ? parse.InvocationConfiguration.Error : parse.InvocationConfiguration.Output);
        int batch = parse.Whole(_batch) ?? 256;
        if (batch < 1)
            throw new OptionException($"--batch is {batch}; it must be at least 1.");

        // What is asked for is understood before anything is read: a mistyped name should not wait for a large file.
        var strong = _autoAttack.Attacks(parse, _attack);
        RequireOwnSchedule(parse, strong is not null);
        var attacks = strong is null ? null : _autoAttack.Read(parse, strong);
        string? output = _autoAttack.Output(parse);
        using var held = output is null ? null : AutoAttackArguments.Lock(output);
        _autoAttack.RequireNew(parse); // behind the lock: until then another process may have written it
        // Beside AutoAttack there is always PGD-20.
        var (kind, steps) = strong is null ? parse.Attack(_attack, _steps, AutoAttackArguments.Known.Select(known => known.Name)) : (AttackKind.Pgd, 20);
        int restarts = parse.Whole(_restarts) ?? 1;
        RequireRestartable(restarts, kind ?? AttackKind.Pgd);
        var convolution = parse.Convolution(_convolution) ?? ConvolutionMethod.Auto;
        var precision = parse.Precision(_precision);
        string? model = parse.Model(_model), data = parse.DataSet(_data);
        var file = SafetensorsFile.Read(path);
        var run = Checkpoint.OptionsOf(file);
        if (run is null && (model is null || data is null))
            throw new OptionException($"{path} is a state dictionary and does not say what it was trained on; give {(model is null ? "--model" : "--data")}.");
        var options = Options(parse, run ?? new TrainOptions(), kind, steps) with { DataDirectory = parse.Text(_dataDirectory) };
        options = options with { Model = model ?? options.Model, Data = data ?? options.Data, Precision = precision ?? options.Precision };
        options.Validate();
        RequireRestartable(restarts, options.Attack);
        if (strong is not null && options.Norm != AttackNorm.Linf)
        {
            throw new OptionException(
                $"--attack {parse.Text(_attack)} attacks in the maximum norm; {(parse.Has(_norm) ? "--norm is" : "the run's norm is")} {OptionTexts.NameOf(options.Norm)}. "
                + "Give --norm linf with a fitting --epsilon, or --attack pgd.");
        }

        int threads = parse.Whole(_threads) ?? 0;
        string? remark = null;
        using var backend = Profile.Open(
            parse.Text(_profile), () => Devices.Open(parse.Text(_device) ?? "auto", threads, convolution, said => remark = said), out var profile);
        if (precision is null && PrecisionSupport.MissingKernel(options.Precision, backend) is not null)
        {
            throw new OptionException(
                $"{path} was trained in bf16 and would be measured so, but the {backend.Name} device computes in f32 only; "
                + "use --device cuda:0 or reference, or --precision f32.");
        }
        PrecisionSupport.Require(options.Precision, backend);
        var set = TrainingData.Open(options, ReadingLine.On(screen));
        var module = ModelCatalog.Create(options.Model, set.Test.Height, set.Test.Width, set.Test.Channels, set.ClassNames.Count);
        using var network = new Network(module, backend, seed: 0, DataSets.Normalization(set));
        Checkpoint.LoadNetwork(network, file);
        using var split = new DeviceSplit(set.Test, backend);

        var attack = options.TrainAttack with { Restarts = restarts };
        ulong seed = parse.Seed(_seed) ?? options.Seed;
        AutoAttackFile? known = null;
        if (attacks is not null)
        {
            attacks = attacks with { Budget = new AttackBudget(attack.Epsilon, seed), Precision = options.Precision };
            attacks.Validate(set.ClassNames.Count);
            var subject = AutoAttackArguments.Subject(path, options, attacks, set, backend.Name, SharedOptions.NameOfConvolution(backend));
            known = output is not null && _autoAttack.Resumes(parse) ? AutoAttackFile.Load(output, subject) : new AutoAttackFile { Subject = subject };
        }
        if (remark is not null)
            parse.InvocationConfiguration.Error.WriteLine(Devices.Line(backend, remark));
        if (held?.Warning is { } warning)
            parse.InvocationConfiguration.Error.WriteLine($"warning: {warning}");
        if (attacks is not null)
            return RunAutoAttack(attacks, known!);
        profile?.Start();
        var clean = Measure(AttackOptions.None);
        var robust = attack.Kind == AttackKind.None ? null : Measure(attack);
        var figures = new EvalFigures(
            path, options.Data, options.Model, OptionTexts.NameOf(options.Precision), clean.Samples, clean.Accuracy, clean.Loss, robust is null ? null : attack.ToString(),
            robust is null ? null : options.Epsilon, robust?.Accuracy, robust?.Loss);
        figures.Print(screen, attack.ShortName);
        profile?.Finish(screen.Writer);
        if (json)
            parse.InvocationConfiguration.Output.WriteLine(JsonLine.Of(figures));
        return ExitCode.Done;

        int RunAutoAttack(AutoAttackOptions asked, AutoAttackFile done)
        {
            var evaluation = new AutoAttackRun(network, split, set.ClassNames.Count, asked, attack, screen);
            profile?.Start();
            try
            {
                done = evaluation.Execute(done, output, Measure, () => profile?.StepDone(isLast: false), cancel);
            }
            catch (OperationCanceledException) when (output is not null)
            {
                screen.Writer.WriteLine($"Interrupted; what was done is in {output}. The same command with --resume goes on.");
                return ExitCode.Interrupted;
            }
            var found = AutoAttackFigures.Of(path, options, asked, done);
            found.Print(screen);
            profile?.Finish(screen.Writer);
            if (json)
                parse.InvocationConfiguration.Output.WriteLine(JsonLine.Of(found));
            return ExitCode.Done;
        }

        EvaluationResult Measure(AttackOptions attacked)
        {
            int samples = 0;
            var result = Evaluation.Run(network, split, attacked, seed, batch: batch, precision: options.Precision, progress: done =>
            {
                profile?.StepDone(isLast: false);
                samples = done;
                Show("");
            }, restartDone: restart => Show($", restart {restart}/{attacked.Restarts}"), cancel: cancel);
            if (screen.IsLive)
                screen.Writer.Write("\r\e[K");
            return result;

            void Show(string restart)
            {
                if (screen.IsLive)
                    screen.Writer.Write($"\r{(attacked.Kind == AttackKind.None ? "clean" : attacked.ShortName)} {samples}/{split.Count}{restart}\e[K");
            }
        }
    }

    private void RequireOwnSchedule(ParseResult parse, bool isStrong)
    {
        var given = ((Option<string?>[])[_steps, _stepSize, _restarts, _noiseMagnitude]).FirstOrDefault(parse.Has);
        if (isStrong && given is not null)
            throw new OptionException($"{given.Name} cannot be given with --attack {parse.Text(_attack)}, which has its own steps.");
    }

    private static void RequireRestartable(int restarts, AttackKind kind)
    {
        if (restarts < 1)
            throw new OptionException($"--restarts is {restarts}; it must be at least 1.");
        if (restarts > 1 && kind != AttackKind.Pgd)
            throw new OptionException($"--restarts {restarts} needs --attack pgd; the attack is {OptionTexts.NameOf(kind)}.");
    }

    /// <summary>The run's options with the attack that is to be measured in place of the one that trained.</summary>
    private TrainOptions Options(ParseResult parse, TrainOptions run, AttackKind? kind, int? steps) => run with
    {
        Attack = kind ?? run.EvaluationAttack.Kind,
        Epsilon = parse.Number(_epsilon) ?? run.Epsilon,
        Steps = steps ?? (run.EvaluationAttack.Kind == AttackKind.None ? 20 : run.EvaluationSteps),
        StepSize = parse.Number(_stepSize),
        NoiseMagnitude = parse.Number(_noiseMagnitude),
        Norm = parse.Norm(_norm) ?? run.Norm,
        LimitTest = parse.Whole(_limitTest) switch { null => run.LimitTest, 0 => null, var limit => limit },
    };
}

/// <summary>What an evaluation found, as <c>--json</c> prints it: accuracies are 0..1, losses in nats.</summary>
internal sealed record EvalFigures(
    string Checkpoint, string Data, string Model, string Precision, int Samples, double Accuracy, double Loss,
    string? Attack, double? Epsilon, double? RobustAccuracy, double? RobustLoss)
{
    /// <summary>The same for people.</summary>
    public void Print(Screen screen, string attack)
    {
        var culture = CultureInfo.InvariantCulture;
        int width = Math.Max(16, attack.Length + " accuracy".Length);
        screen.Writer.WriteLine(string.Create(culture, $"{Model} on {Samples:N0} test images of {Data}, in {Precision}"));
        screen.Writer.WriteLine(string.Create(culture, $"{"clean accuracy".PadRight(width)} {TrainProgress.Percent(Accuracy)}  (loss {Loss:0.0000})"));
        if (RobustAccuracy is { } robust)
            screen.Writer.WriteLine(string.Create(culture, $"{(attack + " accuracy").PadRight(width)} {TrainProgress.Percent(robust)}  (loss {RobustLoss:0.0000}; {Attack})"));
        if (RobustAccuracy is not null)
            screen.Writer.WriteLine("A network can look robust to this attack and fall to a stronger one: --attack autoattack tells.");
    }
}
