using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Augmentations;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>What DOM_DA made of a batch.</summary>
/// <param name="Pixels">The images to train on [N, H, W, C]; those of the batch itself where nothing was augmented.</param>
/// <param name="Accepted">Selected samples of which an augmented image had a loss that is large enough.</param>
/// <param name="Tries">Augmented images that were drawn.</param>
internal readonly record struct AugmentedBatch(Tensor Pixels, int Accepted, int Tries);

/// <summary>
/// DOM_DA (Lin et al., ICLR 2024, algorithm 1, and the authors' code): samples of small natural loss are augmented until their loss is no longer small, gamma
/// times at most. What fails is blended with what was there: x = (1 - beta) x + beta DA(x).
/// </summary>
/// <remarks>
/// Images stay on the device; the flags of a try come to the host, which decides how large the next one is. Where paper and code differ, see <see cref="DomMode"/>:
/// the paper augments and blends the original image in every try, the code the image that the last try left, and its last try is taken whole.
/// </remarks>
internal sealed class DomAugmentation(Network network, DomPolicy policy, IImageAugmentation augmentation, AugmentationDraw draw)
{
    /// <summary>Augments the selected rows of a batch.</summary>
    /// <param name="batch">The batch; its images are not written.</param>
    /// <param name="selected">Rows of small loss, ascending.</param>
    /// <param name="threshold">T of this step.</param>
    /// <param name="passOf">How the network looks at the samples of given ids [n].</param>
    /// <param name="stream">Of this step; the tries draw from its attempts.</param>
    public AugmentedBatch Apply(Batch batch, int[] selected, float threshold, Func<Tensor, Pass> passOf, RandomStream stream)
    {
        if (selected.Length == 0 || policy.Tries == 0)
            return new AugmentedBatch(batch.Pixels, 0, 0);
        using var scope = new TensorScope();
        var backend = batch.Pixels.Backend;
        var images = Tensor.Empty(batch.Pixels.Shape, batch.Pixels.Type, backend, "dom augmentation");
        backend.Run(new Copy(batch.Pixels.Read, images.Write));
        int tries = 0;
        int[] rows = selected;
        for (int attempt = 0; attempt < policy.Tries && rows.Length > 0; attempt++)
        {
            using var round = new TensorScope();
            var places = Tensor.From(rows, backend);
            var from = Rows.Gather(policy.Mode == DomMode.Paper ? batch.Pixels : images, places);
            var drawn = augmentation.Apply(from, Array.ConvertAll(rows, row => batch.HostIds[row]), stream, attempt, draw);
            bool[] isHard = Probe(drawn, Rows.Gather(batch.Labels, places), passOf(Rows.Gather(batch.SampleIds, places)), threshold);
            float ofFailed = policy.Mode == DomMode.Code && attempt == policy.Tries - 1 ? 1 : policy.Strength;
            var shares = Tensor.From(Array.ConvertAll(isHard, hard => hard ? 1 : ofFailed), Shape.Of(rows.Length), backend);
            Rows.Scatter(Rows.Blend(from, drawn, shares), places, images);
            tries += rows.Length;
            rows = [.. rows.Where((_, n) => !isHard[n])];
        }
        return new AugmentedBatch(scope.Keep(images), selected.Length - rows.Length, tries);
    }

    /// <summary>Which images have a loss that is large enough; a loss that is not a number is not.</summary>
    private bool[] Probe(Tensor images, Tensor labels, Pass pass, float threshold)
    {
        using var scope = new TensorScope();
        var loss = SoftmaxCrossEntropy.Step(
            network.Apply(images, pass), labels, null, null, wantsGradient: false, comparison: policy.Comparison, threshold: threshold);
        return Array.ConvertAll(loss.Keep!.ToFloats(), flag => flag != 0);
    }
}
