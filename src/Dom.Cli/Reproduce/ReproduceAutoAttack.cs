using Dom.Cli.Eval;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Reproduce;

/// <summary>AutoAttack on a checkpoint of a run, as <c>dom eval --attack autoattack</c> runs it; kept batch by batch in the run's folder, from where it goes on.</summary>
/// <param name="screen">Where it is shown.</param>
internal sealed class ReproduceAutoAttack(Screen screen)
{
    /// <summary>Accuracy after the standard evaluation, 0..1.</summary>
    /// <param name="planned">The run.</param>
    /// <param name="checkpoint">File of the network.</param>
    /// <param name="which">"best" or "last".</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="cancel">Stops; what was done is kept.</param>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    /// <exception cref="InUseException">Another process runs it on this checkpoint.</exception>
    public double Measure(PlannedRun planned, string checkpoint, string which, IBackend backend, CancellationToken cancel)
    {
        var options = planned.Options;
        var data = TrainingData.Open(options, ReadingLine.On(screen));
        var module = ModelCatalog.Create(options.Model, data.Test.Height, data.Test.Width, data.Test.Channels, data.ClassNames.Count);
        using var network = new Network(module, backend, seed: 0, DataSets.Normalization(data));
        Checkpoint.LoadNetwork(network, SafetensorsFile.Read(checkpoint));
        using var split = new DeviceSplit(data.Test, backend);
        var pgd20 = options.EvaluationAttack;
        var attacks = new AutoAttackOptions { Budget = new AttackBudget(pgd20.Epsilon, options.Seed), Precision = options.Precision };
        var subject = AutoAttackArguments.Subject(checkpoint, options, attacks, data, backend.Name, SharedOptions.NameOfConvolution(backend));
        string file = Path.Combine(planned.Folder.Path, $"autoattack-{which}.json");
        using var held = AutoAttackArguments.Lock(file);
        var known = File.Exists(file) ? AutoAttackFile.Load(file, subject) : new AutoAttackFile { Subject = subject };
        var done = new AutoAttackRun(network, split, data.ClassNames.Count, attacks, pgd20, screen).Execute(
            known, file,
            attack => Evaluation.Run(network, split, attack, options.Seed, batch: attacks.Batch, precision: options.Precision, cancel: cancel),
            null, cancel);
        return (double)done.State!.RobustCount / done.State.Samples;
    }
}
