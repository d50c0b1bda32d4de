using System.Reflection;
using Dom.Nn.StateDictionaries;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>How a run ended.</summary>
/// <param name="IsFinished">Whether all epochs are done; otherwise it was interrupted and can be resumed.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Metrics">The figures of all epochs so far.</param>
public sealed record RunResult(bool IsFinished, RunState State, IReadOnlyList<EpochMetrics> Metrics)
{
    /// <summary>Whether the run stopped itself because its network overfits catastrophically; it can be resumed.</summary>
    public bool IsCollapsed { get; init; }
}

/// <summary>
/// A training run with its folder: description, figures, ledger, checkpoints, report. Whatever moment it is killed at, <see cref="Resume"/> goes on
/// from the last checkpoint and ends with the same bytes as an undisturbed run. Until it is disposed of, no other process can write to the folder.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly Trainer _trainer;
    private readonly DataSet _data;
    private readonly LedgerStore _ledger;
    private readonly StepLog? _steps;
    private readonly ExclusiveLock _lock;
    private RunDescription _description;

    private TrainingRun(RunFolder folder, ExclusiveLock held, RunDescription description, DataSet data, Trainer trainer, LedgerStore ledger)
    {
        (Folder, _lock, _description, _data, _trainer, _ledger) = (folder, held, description, data, trainer, ledger);
        if (description.LogSteps == true)
            _steps = StepLog.Open(folder.StepsFile, (long)trainer.State.Epoch * trainer.Steps + trainer.State.Step);
    }

    /// <summary>The run's folder.</summary>
    public RunFolder Folder { get; }

    /// <summary>Why nothing keeps other processes out of the folder; null where they are kept out.</summary>
    public string? LockWarning => _lock.Warning;

    /// <summary>What is run.</summary>
    public RunDescription Description => _description;

    /// <summary>The data, prepared.</summary>
    public DataSet Data => _data;

    /// <summary>The network in training.</summary>
    public Trainer Trainer => _trainer;

    /// <summary>Steps between checkpoints inside an epoch; 0 for none. There is one at the end of every epoch in any case.</summary>
    public int CheckpointEvery { get; set; }

    /// <summary>Starts a run in a new folder.</summary>
    /// <param name="options">The options.</param>
    /// <param name="folder">The folder; made where there is none.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="threads">Threads of the backend, for the description.</param>
    /// <param name="commandLine">What was typed, for the description.</param>
    /// <param name="convolution">How the backend computes convolutions, for the description, so that a resumed run does the same; null where it has one way.</param>
    /// <param name="logSteps">Whether the figures of every step are kept, in <see cref="RunFolder.StepsFile"/>, also when the run is resumed.</param>
    /// <param name="reading">Called now and then with the number of pictures read and of those there are, where the data have a file for each.</param>
    /// <exception cref="OptionException">An option makes no sense, the backend cannot compute in the precision, or the folder holds a run.</exception>
    /// <exception cref="InUseException">Another process writes to the folder.</exception>
    /// <exception cref="DataException">The data cannot be used.</exception>
    public static TrainingRun Start(
        TrainOptions options, string folder, IBackend backend, int threads, string commandLine, string? convolution = null, bool logSteps = false,
        Action<int, int>? reading = null)
    {
        options.Validate();
        // Resolved before anything is written: a resumed run, which reads them back, then writes the same bytes.
        options = options.Resolved();
        var runFolder = new RunFolder(folder);
        runFolder.RequireUnused();
        var data = TrainingData.Open(options, reading);
        var trainer = new Trainer(options, data, backend);
        ExclusiveLock? held = null;
        try
        {
            held = runFolder.Create();
            var description = new RunDescription
            {
                Options = options,
                CommandLine = commandLine,
                DataHash = data.Hash(),
                Device = backend.Name,
                Threads = threads,
                Convolution = convolution,
                LogSteps = logSteps ? true : null,
                Version = typeof(TrainingRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
                Started = DateTimeOffset.Now,
                Status = "running",
            };
            runFolder.Write(description);
            return new TrainingRun(runFolder, held, description, data, trainer, NewLedger(runFolder, options, data));
        }
        catch
        {
            held?.Dispose();
            trainer.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with a run from its last checkpoint, or from its start where it has none yet.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="threads">Threads of the backend, for the description.</param>
    /// <param name="reading">Called now and then with the number of pictures read and of those there are, where the data have a file for each.</param>
    /// <exception cref="OptionException">The backend cannot compute in the precision of the run.</exception>
    /// <exception cref="CheckpointException">There is no run, or a file of it is damaged.</exception>
    /// <exception cref="InUseException">Another process writes to the folder: the run still goes on there.</exception>
    /// <exception cref="DataException">The data are not what they were.</exception>
    public static TrainingRun Resume(string folder, IBackend backend, int threads, Action<int, int>? reading = null)
    {
        var runFolder = new RunFolder(folder);
        runFolder.ReadDescription(); // no lock is put into a folder that holds no run
        var held = runFolder.Lock();
        try
        {
            return GoOn(runFolder, held, backend, threads, reading);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static TrainingRun GoOn(RunFolder runFolder, ExclusiveLock held, IBackend backend, int threads, Action<int, int>? reading)
    {
        string folder = runFolder.Path;
        // Behind the lock: until then the process that held it before may have written another.
        var description = runFolder.ReadDescription();
        if (PrecisionSupport.MissingKernel(description.Options.Precision, backend) is not null)
        {
            throw new OptionException(
                $"{folder}: the run was started with --precision bf16, and the {backend.Name} device computes in f32 only; "
                + "go on with --device cuda:0 or reference.");
        }
        var data = TrainingData.Open(description.Options, reading);
        if (data.Hash() != description.DataHash)
            throw new DataException(
                $"{description.Options.Data}: the data have changed since the run in {folder} was started; it cannot be resumed with the same result. " +
                "Put the old data back, or start a new run.");
        var trainer = new Trainer(description.Options, data, backend);
        try
        {
            LedgerStore ledger;
            if (File.Exists(runFolder.Last))
            {
                trainer.Load(runFolder.Last);
                ledger = LedgerStore.OpenTruncated(runFolder.Ledger, trainer.State.Epoch);
            }
            else
            {
                Directory.CreateDirectory(Path.GetDirectoryName(runFolder.Last)!);
                ledger = NewLedger(runFolder, description.Options, data);
            }
            runFolder.TruncateMetrics(trainer.State.Epoch);
            description = description with { Status = trainer.IsFinished ? "finished" : "running", Device = backend.Name, Threads = threads };
            runFolder.Write(description);
            return new TrainingRun(runFolder, held, description, data, trainer, ledger);
        }
        catch
        {
            trainer.Dispose();
            throw;
        }
    }

    /// <summary>Trains until the last epoch is done or the run is canceled; then the step under way is finished and a checkpoint written.</summary>
    /// <exception cref="DivergedException">A loss is not finite; names the operator that made it first. The last checkpoint is untouched.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public RunResult Execute(ITrainingObserver? observer = null, CancellationToken cancel = default)
    {
        try
        {
            while (!_trainer.IsFinished)
            {
                double speed = _trainer.RunSteps(observer, step => AfterStep(step, observer), cancel, CheckpointEvery);
                if (!_trainer.IsEpochDone || cancel.IsCancellationRequested)
                    return Interrupted();
                EpochMetrics metrics;
                try
                {
                    metrics = _trainer.FinishEpoch(speed, observer, cancel);
                }
                catch (OperationCanceledException)
                {
                    return Interrupted();
                }
                Store(metrics, observer);
                observer?.EpochDone(metrics);
                if (metrics.Collapse is not null && _description.Options.EffectiveOnCollapse == CollapseResponse.Stop && !_trainer.IsFinished)
                {
                    SetStatus("collapsed");
                    return new RunResult(false, _trainer.State, Folder.ReadMetrics()) { IsCollapsed = true };
                }
            }
            SetStatus("finished");
            return new RunResult(true, _trainer.State, Folder.ReadMetrics());
        }
        catch (DivergedException e)
        {
            SetStatus("failed");
            string cause = _trainer.Diagnose(backend => new NanTrapBackend(backend));
            string kept = File.Exists(Folder.Last) ? $"The last good checkpoint is {Folder.Last}." : "There is no checkpoint yet.";
            throw new DivergedException($"{e.Message} {cause} {kept} A smaller --lr usually helps.", e);
        }
        catch (DeviceMemoryException e)
        {
            SetStatus("failed");
            throw new DeviceMemoryException($"{e.Message} {BatchThatFits(e.Capacity)}", e);
        }
        catch
        {
            SetStatus("failed");
            throw;
        }
    }

    /// <summary>What batch would fit into so many bytes, found out without them.</summary>
    private string BatchThatFits(long capacity)
    {
        var options = _description.Options;
        int batch = MemoryNeed.LargestBatch(options, _data, _trainer.Network.Backend, capacity);
        return batch > 0
            ? $"A batch of {batch} would fit: start the run anew with --batch {batch}."
            : $"Not even a batch of 1 would fit: {options.Model} is too large for this device.";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_lock)
        {
            _steps?.Dispose();
            _trainer.Dispose();
        }
    }

    private static LedgerStore NewLedger(RunFolder folder, TrainOptions options, DataSet data)
    {
        var ledger = LedgerStore.Create(
            folder.Ledger, data.Train.Count,
            [.. options.Attack == Attacks.AttackKind.None ? LedgerColumns.Natural : LedgerColumns.Adversarial, .. LedgerPass.ColumnsOf(options)],
            overwrite: true);
        ledger.WriteStatic(LedgerColumns.GivenLabel, data.Train.Labels);
        ledger.WriteStatic(LedgerColumns.TrueLabel, data.Train.TrueLabels);
        return ledger;
    }

    private void AfterStep(StepMetrics step, ITrainingObserver? observer)
    {
        _steps?.Append(step); // before a checkpoint counts it
        if (CheckpointEvery == 0 || _trainer.State.Step % CheckpointEvery != 0 || _trainer.IsEpochDone)
            return;
        using (observer?.Begin("checkpoint"))
            _trainer.Save(Folder.Last);
    }

    /// <summary>
    /// The order matters: ledger and figures first, the checkpoint that counts them last. A kill in between leaves rows too many, which
    /// resuming cuts off and writes again.
    /// </summary>
    private void Store(EpochMetrics metrics, ITrainingObserver? observer)
    {
        using (observer?.Begin("ledger"))
            _ledger.Append(_trainer.LedgerRows());
        using (observer?.Begin("metrics"))
            Folder.Append(metrics);
        using var saving = observer?.Begin("checkpoint");
        var state = _trainer.State;
        if (state.BestNaturalEpoch == state.Epoch)
            Checkpoint.SaveNetwork(Folder.BestNatural, _description.Options, state, _trainer.Network);
        if (state.BestRobustEpoch == state.Epoch)
            Checkpoint.SaveNetwork(Folder.BestRobust, _description.Options, state, _trainer.Network);
        _trainer.Save(Folder.Last);
    }

    private RunResult Interrupted()
    {
        _trainer.Save(Folder.Last);
        SetStatus("interrupted");
        return new RunResult(false, _trainer.State, Folder.ReadMetrics());
    }

    private void SetStatus(string status)
    {
        _description = _description with { Status = status, Finished = status == "finished" ? DateTimeOffset.Now : null };
        try
        {
            Folder.Write(_description);
        }
        catch (IOException) when (status == "failed")
        {
            // The disk that failed the run may fail its description too; the error that is on its way says more.
        }
    }
}
