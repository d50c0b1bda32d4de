using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Robust accuracy of a briefly trained residual network under PGD with restarts.</summary>
public sealed class RestartEvaluationTests
{
    private static readonly TrainOptions s_options = Presets.Find(Presets.Default).Options with
    {
        LabelNoise = 0, LimitTrain = 1000, LimitTest = 60, Epochs = 6, Warmup = null,
    };

    private static readonly AttackOptions s_attack = AttackOptions.Create(AttackKind.Pgd, 4, 1, 4);

    private readonly Runs _runs = new();
    private string _checkpoint = "";

    [OneTimeSetUp]
    public void Train() => _checkpoint = new RunFolder(_runs.Finish("run", s_options)).Last;

    [OneTimeTearDown]
    public void Delete() => _runs.Dispose();

    [Test]
    public void More_restarts_raise_the_loss_and_not_the_accuracy()
    {
        var results = new[] { 1, 2, 5 }.Select(restarts => Evaluate(s_attack with { Restarts = restarts })).Prepend(Evaluate(AttackOptions.None)).ToArray();
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, results.AsEnumerable()));
        Assert.That(results.Select(result => result.Accuracy), Is.Ordered.Descending);
        Assert.That(results[3].Accuracy, Is.InRange(0.05, results[0].Accuracy - 0.05), "some images fall and some do not");
        Assert.That(results[3].Loss, Is.GreaterThan(results[2].Loss));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void The_result_has_the_same_bits_for_every_number_of_threads(int restarts)
    {
        var expected = Evaluate(s_attack with { Restarts = restarts }, threads: 1);
        Assert.That(Evaluate(s_attack with { Restarts = restarts }, threads: 2), Is.EqualTo(expected));
        Assert.That(Evaluate(s_attack with { Restarts = restarts }, threads: 3), Is.EqualTo(expected));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void The_result_has_the_same_bits_for_every_batch_size(int restarts)
    {
        // Winograd's method adds in an order that depends on the number of images; directly computed convolutions do not.
        var expected = Evaluate(s_attack with { Restarts = restarts }, convolution: ConvolutionMethod.Direct);
        foreach (int batch in new[] { 59, 7, 1 })
            Assert.That(Evaluate(s_attack with { Restarts = restarts }, batch: batch, convolution: ConvolutionMethod.Direct), Is.EqualTo(expected));
    }

    [Test]
    public void With_epsilon_zero_accuracy_and_loss_are_the_clean_ones() =>
        Assert.That(Evaluate(AttackOptions.Create(AttackKind.Pgd, 0, null, 3) with { Restarts = 3 }), Is.EqualTo(Evaluate(AttackOptions.None)));

    [Test]
    public void Restarts_of_every_batch_are_reported_before_the_batch()
    {
        var seen = new List<string>();
        Evaluate(s_attack with { Restarts = 2, Steps = 1 }, batch: 40, progress: n => seen.Add($"{n} done"), restartDone: r => seen.Add($"restart {r}"));
        Assert.That(seen, Is.EqualTo(new[] { "restart 1", "restart 2", "40 done", "restart 1", "restart 2", "60 done" }));
    }

    private EvaluationResult Evaluate(
        AttackOptions attack, int threads = 2, int batch = 60, ConvolutionMethod convolution = ConvolutionMethod.Auto,
        Action<int>? progress = null, Action<int>? restartDone = null)
    {
        using var backend = new CpuBackend(threads) { Convolution = convolution };
        var set = TrainingData.Open(s_options);
        using var network = new Network(
            ModelCatalog.Create(s_options.Model, set.Test.Height, set.Test.Width, set.Test.Channels, set.ClassNames.Count), backend, seed: 0,
            DataSets.Normalization(set));
        Checkpoint.LoadNetwork(network, SafetensorsFile.Read(_checkpoint));
        using var split = new DeviceSplit(set.Test, backend);
        return Evaluation.Run(network, split, attack, seed: 5, batch: batch, progress: progress, restartDone: restartDone);
    }
}
