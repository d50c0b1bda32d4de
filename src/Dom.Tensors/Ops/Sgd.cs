using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// One step of stochastic gradient descent over a flat arena of parameters p with gradients g and momentum buffer m:
/// g' = g + WeightDecay p; m = MomentumFactor m + g'; p -= LearningRate (Nesterov = 1 ? g' + MomentumFactor m : m).
/// </summary>
/// <remarks>
/// PyTorch's rule with dampening 0: a buffer of zeros equals its first step. Momentum may be absent where its factor is 0: p -= LearningRate g'.
/// The guard: where Health [1] is not 0, or one of Losses [any number] is NaN or infinite, p and m keep their bytes and Health is 1 afterwards; so no later step
/// does anything either until somebody sets it to 0. Either may be absent. Losses and Health are f32 also where parameters are bf16.
/// </remarks>
public readonly record struct SgdStep(
    View Parameters, View Gradients, View Momentum, View Losses, View Health, float LearningRate, float MomentumFactor, float WeightDecay, int Nesterov) : IKernelCall;

/// <summary>Stochastic gradient descent with momentum and weight decay.</summary>
public static class Sgd
{
    /// <summary>Updates the parameters and the momentum buffer in place; not recorded on a tape.</summary>
    /// <param name="parameters">The arena, any shape.</param>
    /// <param name="gradients">Gradients, of its shape.</param>
    /// <param name="momentum">Momentum buffer, of its shape, zeros before the first step; null where the factor is 0.</param>
    /// <param name="learningRate">Step size, 0 or above.</param>
    /// <param name="momentumFactor">Share of the old buffer that stays, 0..1.</param>
    /// <param name="weightDecay">L2 penalty, added to the gradient, 0 or above; on all parameters.</param>
    /// <param name="nesterov">Whether the step looks ahead along the momentum.</param>
    /// <param name="losses">Losses that the gradients came from, f32, any shape: nothing moves where one of them is NaN or infinite. Null where nobody knows them.</param>
    /// <param name="health">
    /// f32 [1], 0 before the first step: becomes 1 where a loss is not finite, and while it is, nothing moves. The host need not look at the losses before it asks
    /// for the next step. Null where every step is judged by its own losses alone.
    /// </param>
    /// <exception cref="ShapeException">The shapes or types differ.</exception>
    /// <exception cref="ArgumentException">A rate or factor out of its range, or momentum without a buffer.</exception>
    public static void Step(
        Tensor parameters, Tensor gradients, Tensor? momentum, float learningRate,
        float momentumFactor = 0, float weightDecay = 0, bool nesterov = false,
        Tensor? losses = null, Tensor? health = null)
    {
        CheckSameAs(parameters, gradients, "gradients");
        if (momentum is not null)
            CheckSameAs(parameters, momentum, "the momentum buffer");
        if (!(learningRate >= 0) || !(weightDecay >= 0) || !(momentumFactor is >= 0 and <= 1))
            throw new ArgumentException(
                $"sgd: the learning rate and the weight decay must be 0 or above and the momentum factor in 0..1, got {learningRate}, {weightDecay} and {momentumFactor}.");
        if (momentum is null && momentumFactor > 0)
            throw new ArgumentException($"sgd: a momentum factor of {momentumFactor} needs a momentum buffer {parameters.Shape}.", nameof(momentum));
        if (nesterov && momentumFactor == 0)
            throw new ArgumentException("sgd: Nesterov's rule needs a momentum factor above 0.", nameof(nesterov));
        var real = parameters.Type.Accumulator();
        if (losses is not null && losses.Type != real)
            throw new ShapeException($"sgd: the losses are {losses}; with {parameters} they must be {Name(real)}.");
        if (health is not null && (health.Type != real || health.Count != 1))
            throw new ShapeException($"sgd: the health flag is {health}; with {parameters} it must be {Name(real)} [1].");
        parameters.Backend.Run(new SgdStep(
            parameters.ReadWrite, gradients.Read, momentum?.ReadWrite ?? View.None, losses?.Read ?? View.None, health?.ReadWrite ?? View.None,
            learningRate, momentumFactor, weightDecay, nesterov ? 1 : 0));
    }

    private static string Name(DType type) => type.ToString().ToLowerInvariant();

    private static void CheckSameAs(Tensor parameters, Tensor other, string name)
    {
        if (other.Shape != parameters.Shape || other.Type != parameters.Type)
            throw new ShapeException($"sgd: the parameters are {parameters}, {name} {other}; shape and type must agree.");
    }
}
