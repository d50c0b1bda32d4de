using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>
/// The network as it was at the end of epoch K, frozen: it tells the samples that were confident then (original) from those that became so later
/// (transformed), for the removal experiments of DOM (ICLR 2024), section 3.1.
/// </summary>
/// <remarks>
/// The paper does not say how it applies the auxiliary model. As inferred here: batch by batch, on the same augmented images that the network sees,
/// with the same threshold and comparison, in evaluation mode (running statistics of epoch K).
/// </remarks>
/// <param name="network">Another instance of the trained network's module; its values are without meaning before <see cref="Freeze"/>. Disposed with this object.</param>
internal sealed class AuxiliaryModel(Network network) : IDisposable
{
    /// <summary>The frozen network, for checkpoints.</summary>
    public Network Network => network;

    /// <summary>Takes over parameters and running statistics of the network in training.</summary>
    public void Freeze(Network trained)
    {
        network.Backend.Run(new Copy(trained.Arena.Read, network.Arena.Write));
        for (int i = 0; i < network.Buffers.Count; i++)
            network.Backend.Run(new Copy(trained.Buffers[i].Buffer.Value.Read, network.Buffers[i].Buffer.Value.Write));
    }

    /// <summary>Takes samples that are not in the set to be removed back into the mask.</summary>
    /// <param name="keep">1 for samples that are not confident, 0 for those that are [N].</param>
    /// <param name="batch">The batch, as the network saw it.</param>
    /// <param name="policy">Threshold, comparison and set.</param>
    /// <param name="precision">Type of the activations.</param>
    /// <returns>0 for the confident samples that are in the set, 1 for all others [N].</returns>
    public Tensor Refine(Tensor keep, Batch batch, DomPolicy policy, Precision precision)
    {
        using var scope = new TensorScope();
        var logits = network.Apply(batch.Pixels, Pass.Evaluate with { Precision = precision });
        var then = SoftmaxCrossEntropy.Step(
            logits, batch.Labels, null, null, wantsGradient: false, comparison: policy.Comparison, threshold: policy.Threshold).Keep!;
        float[] now = keep.ToFloats(), before = then.ToFloats();
        bool removesOriginal = policy.RemoveSet == RemoveSet.Original;
        for (int i = 0; i < now.Length; i++)
        {
            bool wasConfident = before[i] == 0;
            if (wasConfident != removesOriginal)
                now[i] = 1;
        }
        return scope.Keep(Tensor.From(now, keep.Shape, keep.Backend));
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();
}
