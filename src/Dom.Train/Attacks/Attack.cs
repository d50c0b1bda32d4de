using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>Gradient attacks on the cross-entropy of the given label, in pixel space 0..1. Deterministic: random starts are keyed by sample id.</summary>
public static class Attack
{
    /// <summary>Adversarial images for a batch.</summary>
    /// <param name="network">The network under attack; its normalization is inside, so the attack sees pixels.</param>
    /// <param name="clean">Images [N, H, W, C] in 0..1.</param>
    /// <param name="labels">Labels [N].</param>
    /// <param name="sampleIds">Ids [N] that key the random start.</param>
    /// <param name="pass">How the network is applied while it is attacked; evaluation mode for a test.</param>
    /// <param name="options">The attack.</param>
    /// <param name="stream">Where the random start comes from.</param>
    /// <param name="restartDone">Called with the number of restarts done, where there is more than one.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <returns>Images [N, H, W, C] inside 0..1 and, but for N-FGSM, inside the ball around the clean ones; owned by the current scope.</returns>
    /// <remarks>
    /// Following the DOM authors' code: delta starts uniform in the ball (Linf) clipped to valid pixels, then
    /// delta = clip(delta + step sign(g), -epsilon, epsilon), and x + delta is clipped to 0..1 after every step. In L2 the start is a random point of the sphere.
    /// N-FGSM starts uniform within its noise magnitude times epsilon and is clipped to 0..1 alone (de Jorge et al. 2022).
    /// Only the gradient of the input is computed: no weight gradient kernel runs.
    /// </remarks>
    /// <exception cref="ArgumentException">Restarts of another attack than PGD, or in a pass in which samples influence each other.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Tensor Run(
        Network network, Tensor clean, Tensor labels, Tensor sampleIds, Pass pass, AttackOptions options, RandomStream stream,
        Action<int>? restartDone = null, CancellationToken cancel = default)
    {
        if (options.Restarts != 1)
            return Restarts.Run(network, clean, labels, sampleIds, pass, options, stream, restartDone, cancel);
        var adversarial = options.HasRandomStart ? RandomStart(clean, sampleIds, options, stream) : clean;
        for (int step = 0; step < options.Steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var iteration = new TensorScope();
            var gradient = InputGradient(network, adversarial, labels, sampleIds, pass);
            var next = iteration.Keep(Step(clean, adversarial, gradient, options));
            if (adversarial != clean)
                adversarial.Dispose();
            adversarial = next;
        }
        return adversarial;
    }

    /// <summary>Gradient of the summed cross-entropy with respect to the images: row n is the gradient of sample n's own loss where batch norm uses
    /// running statistics.</summary>
    public static Tensor InputGradient(Network network, Tensor images, Tensor labels, Tensor sampleIds, Pass pass)
    {
        using var tape = new Tape(images);
        var logits = network.Apply(images, pass);
        var loss = SoftmaxCrossEntropy.Step(logits, labels, sampleIds, ledger: null, divisor: 1);
        return tape.Gradient(logits, loss.DLogits!)[images];
    }

    /// <summary>Where a sample begins; valid pixels.</summary>
    internal static Tensor RandomStart(Tensor clean, Tensor sampleIds, AttackOptions options, RandomStream stream)
    {
        using var scope = new TensorScope();
        if (options.Norm == AttackNorm.L2)
        {
            var direction = Noise.Normal(sampleIds, clean.Shape, stream);
            return scope.Keep(Step(clean, clean, direction, options, options.Epsilon));
        }
        var noise = Noise.Uniform(sampleIds, clean.Shape, stream, -options.StartRadius, options.StartRadius);
        var start = Add.Apply(clean, noise);
        return scope.Keep(Step(clean, start, noise, options, stepSize: 0));
    }

    /// <summary>One step up the gradient, back into the ball and into 0..1.</summary>
    internal static Tensor Step(Tensor clean, Tensor x, Tensor gradient, AttackOptions options) => Step(clean, x, gradient, options, options.StepSize);

    private static Tensor Step(Tensor clean, Tensor x, Tensor gradient, AttackOptions options, float stepSize) => options.Norm == AttackNorm.L2
        ? Perturb.L2Step(clean, x, gradient, stepSize, options.Epsilon, 0, 1)
        : Perturb.SignStep(clean, x, gradient, stepSize, options.ProjectionRadius, 0, 1);
}
