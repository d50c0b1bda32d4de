using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>
/// Five images of one pixel, 1, 0.75, 0.5, 0.25 and 0, all of class 0, and a linear model of two classes with logits (8 x - 4, 0). So the margin is
/// m = 8 x - 4 = 4, 2, 0, -2, -4, and the loss log(1 + exp(-m)) = 0.01815, 0.12693, 0.69315, 2.12693, 4.01815. T is the loss of the third, ln 2, exactly.
/// </summary>
/// <remarks>
/// A step of rate 1 without momentum and weight decay moves a parameter by minus its gradient. With q = 1 / (1 + exp(m)), the probability of class 1, and
/// weight w, an image adds -w q x to the gradient of the first weight, -w q to that of the first bias, and the opposite to the second.
/// A brighter pixel means a smaller loss: attacks darken every pixel, and those that go far enough by epsilon, to 0 at most.
/// </remarks>
internal sealed class FivePixels : IDisposable
{
    /// <summary>1/16, so that all attacked pixels are exact.</summary>
    public const float Epsilon = 0.0625f;

    private static readonly float[] s_pixels = [1, 0.75f, 0.5f, 0.25f, 0];
    private static readonly float[] s_weights = [8, 0], s_biases = [-4, 0];

    private readonly IBackend _backend;
    private readonly Network _network;
    private readonly Tensor _momentum, _natural, _adversarial;

    public FivePixels(IBackend? backend = null, Func<Module, Module>? wrap = null)
    {
        _backend = backend ?? new CpuBackend(1);
        Module model = new Mlp(1, [], 2);
        _network = new Network(wrap is null ? model : wrap(model), _backend, seed: 1);
        _momentum = Tensor.Persistent(_network.Arena.Shape, DType.F32, _backend, "test");
        _natural = Tensor.Persistent(Shape.Of(5, LedgerRow.Count), DType.F32, _backend, "test");
        _adversarial = Tensor.Persistent(Shape.Of(5, LedgerRow.Count), DType.F32, _backend, "test");
        _backend.Run(new Fill(_momentum.Write, 0));
    }

    /// <summary>ln 2 in f32.</summary>
    public static float Threshold => MathF.Log(2);

    /// <summary>The five pixels.</summary>
    public static float[] Pixels => [.. s_pixels];

    /// <summary>DOM after its warm-up, with everything off that would make the arithmetic longer. PGD is strong enough for every pixel to reach the ball's edge.</summary>
    public static TrainOptions Options(DomAction action, DomMode mode = DomMode.Paper, AttackKind attack = AttackKind.None) => new()
    {
        Epochs = 10, Warmup = 1, Momentum = 0, WeightDecay = 0, Schedule = ScheduleKind.Constant, LearningRate = 1,
        Dom = action, DomMode = mode, Threshold = Threshold, Attack = attack, Epsilon = 255 / 16.0, StepSize = attack == AttackKind.Pgd ? 255 / 8.0 : null, Steps = 2,
    };

    /// <summary>The loss of a pixel of class 0.</summary>
    public static double Loss(double pixel) => Math.Log(1 + Math.Exp(4 - 8 * pixel));

    /// <summary>What an attack makes of a pixel.</summary>
    public static float Attacked(float pixel, AttackKind attack) => attack == AttackKind.None ? pixel : Math.Max(0, pixel - Epsilon);

    /// <summary>One step in an epoch after the warm-up, from the same weights each time.</summary>
    public StepOutcome Step(TrainOptions options, IImageAugmentation? augmentation = null, int[]? rows = null, StepPosition? position = null)
    {
        using var scope = new TensorScope();
        Set(0, s_weights);
        Set(1, s_biases);
        _backend.Run(new Fill(_natural.Write, -1));
        _backend.Run(new Fill(_adversarial.Write, -1));
        rows ??= [0, 1, 2, 3, 4];
        var batch = new Batch(
            Tensor.From(Array.ConvertAll(rows, row => s_pixels[row]), Shape.Of(rows.Length, 1, 1, 1), _backend),
            Tensor.From(new int[rows.Length], _backend), Tensor.From(rows, _backend));
        using var step = new TrainingStep(
            _network, _momentum, options, _natural, options.Attack == AttackKind.None ? null : _adversarial, augmentation ?? new ScriptedAugmentation((x, _, _) => x));
        var figures = step.Run(batch, position ?? new StepPosition(Epoch: 1, Step: 1, Steps: 3)).Read();
        return new StepOutcome(figures, LossesOf(_natural), LossesOf(_adversarial),
            [.. Moved(0, s_weights).Concat(Moved(1, s_biases)).Select(v => -v)]);
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { _momentum, _natural, _adversarial })
            tensor.Dispose();
        _network.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
        _backend.Dispose();
    }

    private void Set(int parameter, float[] values) => _network.Parameters[parameter].Parameter.Value.CopyFrom(values);

    private IEnumerable<float> Moved(int parameter, float[] from) =>
        _network.Parameters[parameter].Parameter.Value.ToFloats().Zip(from, (after, before) => after - before);

    private static float[] LossesOf(Tensor ledger) =>
        [.. ledger.ToFloats().Where((_, i) => i % LedgerRow.Count == LedgerRow.Loss)];
}

/// <summary>What a step did.</summary>
/// <param name="Figures">Its figures.</param>
/// <param name="Natural">Losses in the natural ledger; -1 where it was not written.</param>
/// <param name="Adversarial">The same of the adversarial ledger.</param>
/// <param name="Gradient">Of weight 0, weight 1, bias 0, bias 1.</param>
internal sealed record StepOutcome(StepFigures Figures, float[] Natural, float[] Adversarial, float[] Gradient)
{
    /// <summary>Holds the step to be the one that trains on the given pixels with the given weights.</summary>
    public void ShouldTrainOn(float[] pixels, double[] weights)
    {
        double weight = 0, bias = 0;
        for (int n = 0; n < pixels.Length; n++)
        {
            double q = 1 / (1 + Math.Exp(8.0 * pixels[n] - 4));
            weight -= weights[n] * q * pixels[n];
            bias -= weights[n] * q;
        }
        Assert.Multiple(() =>
        {
            Assert.That(Figures.Losses, Is.EqualTo(Array.ConvertAll(pixels, p => (float)FivePixels.Loss(p))).Within(2e-6), "losses of what was trained on");
            Assert.That(Gradient, Is.EqualTo(new[] { weight, -weight, bias, -bias }).Within(2e-6), "gradient");
        });
    }
}
