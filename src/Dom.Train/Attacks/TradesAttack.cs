using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>The inner maximization of TRADES (Zhang et al., ICML 2019): PGD on KL(clean || attacked), which needs no label.</summary>
/// <remarks>
/// As its authors: it starts from the clean image with normal noise of 0.001 on every pixel, for at the clean image itself the divergence has no slope; then
/// x = clip01(clip(x + step sign(g), clean - epsilon, clean + epsilon)). The clean predictions are computed once and are constants.
/// </remarks>
public static class TradesAttack
{
    /// <summary>Standard deviation of the start, in units of the pixel range.</summary>
    internal const float StartDeviation = 0.001f;

    /// <summary>Attacked images [N, H, W, C] inside 0..1 and the ball; owned by the current scope.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="clean">Images [N, H, W, C] in 0..1.</param>
    /// <param name="sampleIds">Ids [N] that key the start.</param>
    /// <param name="pass">How the network is applied; its authors attack in evaluation mode.</param>
    /// <param name="options">Radius, step size and number of steps, in the maximum norm.</param>
    /// <param name="stream">Where the start comes from.</param>
    public static Tensor Run(Network network, Tensor clean, Tensor sampleIds, Pass pass, AttackOptions options, RandomStream stream)
    {
        using var scope = new TensorScope();
        var reference = network.Apply(clean, pass);
        var images = Add.Apply(clean, Noise.Normal(sampleIds, clean.Shape, stream, 0, StartDeviation));
        for (int step = 0; step < options.Steps; step++)
        {
            using var iteration = new TensorScope();
            var next = iteration.Keep(Attack.Step(clean, images, Gradient(network, images, reference, pass), options));
            images.Dispose();
            images = next;
        }
        return scope.Keep(images);
    }

    /// <summary>Gradient of the summed divergence with respect to the images.</summary>
    private static Tensor Gradient(Network network, Tensor images, Tensor reference, Pass pass)
    {
        using var tape = new Tape(images);
        var losses = KlDivergence.PerSample(reference, network.Apply(images, pass));
        return tape.Gradient(losses, Filled.Create(losses.Shape, 1, losses.Backend))[images];
    }
}
