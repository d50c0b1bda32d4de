using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>losses[n] = log(sum_c exp logits[n, c]) - logits[n, labels[n]], in nats.</summary>
/// <remarks>
/// logits [Rows, Classes]; labels [Rows] i32 in 0 .. Classes - 1, which kernels do not check; losses [Rows]. The largest logit is subtracted
/// first, so no exponential overflows. The exponentials of the other classes are summed apart from the label's, so that the loss of a
/// memorized sample keeps its digits far below 1e-7.
/// </remarks>
public readonly record struct SoftmaxCrossEntropyForward(View Logits, View Labels, View Losses, int Rows, int Classes) : IKernelCall;

/// <summary>dlogits[n, c] = dlosses[n] (p[n, c] - [c = labels[n]]) with p the softmax of the logits; a row with dlosses[n] = 0 is all zero.</summary>
public readonly record struct SoftmaxCrossEntropyBackward(
    View Logits, View Labels, View DLosses, View DLogits, int Rows, int Classes) : IKernelCall;

/// <summary>
/// The loss of a training step with everything that needs a sample's logits: its loss, whether DOM keeps it, its row of the ledger, and the
/// gradient of the weighted mean loss.
/// </summary>
/// <remarks>
/// For every row n, with p the softmax of its logits z and y its label:
/// losses[n] = -log p_y;
/// keep[n] = 1 where Comparison is 0, or is 1 and losses[n] &gt; Threshold, or is 2 and losses[n] &gt;= Threshold, else 0 (a NaN loss is not
/// kept by 1 and 2); decided on the loss as stored, so that mask and losses agree;
/// ledger[SampleIds[n]] = (losses[n], p_y, z_y - max other z, ||p - onehot||, 1 if the prediction is y else 0, prediction), and
/// (NaN, NaN, NaN, NaN, 0, -1) where the loss is NaN. The prediction is the first of the largest logits. Other rows of the ledger stay;
/// dlogits[n] = w (p - onehot) / D with w = keep[n] Weights[n], and D = Divisor if that is above 0, else the sum of w over the rows (added
/// in row order). Where w or D is 0 the row is exactly 0.
/// Weights (all 1), Keep, DLogits, and Ledger together with SampleIds may be absent. Labels and ids are not checked here.
/// </remarks>
public readonly record struct SoftmaxCrossEntropyStep(
    View Logits, View Labels, View SampleIds, View Weights, View Losses, View Keep, View DLogits, View Ledger,
    int Rows, int Classes, float Threshold, int Comparison, float Divisor) : IKernelCall;

/// <summary>Which samples of a batch count in the gradient.</summary>
public enum LossComparison
{
    /// <summary>All of them.</summary>
    KeepAll = 0,

    /// <summary>Those with loss &gt; threshold: the DOM paper.</summary>
    KeepAbove = 1,

    /// <summary>Those with loss &gt;= threshold: the code of DOM's authors.</summary>
    KeepAtOrAbove = 2,
}

/// <summary>What <see cref="SoftmaxCrossEntropy.Step"/> found.</summary>
/// <param name="Losses">Loss of every row [N], in nats, removed rows included.</param>
/// <param name="Keep">1 for a kept row and 0 for a removed one [N]; null where all are kept.</param>
/// <param name="DLogits">
/// Gradient of the weighted mean loss [N, C]: the seed for <see cref="Tape.Gradient"/> from the logits; null where it was not wanted.
/// </param>
public readonly record struct LossStep(Tensor Losses, Tensor? Keep, Tensor? DLogits);

/// <summary>Softmax cross-entropy, sample by sample: DOM needs the losses one by one.</summary>
public static class SoftmaxCrossEntropy
{
    /// <summary>Per-sample losses [N] in nats, never averaged; f32, or f64 for f64 logits.</summary>
    /// <param name="logits">[N, C], C at least 2.</param>
    /// <param name="labels">[N], i32, each in 0 .. C - 1 (checked where data are loaded, not here).</param>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Tensor PerSample(Tensor logits, Tensor labels)
    {
        CheckLogits(logits, labels);
        var losses = Tensor.Empty(labels.Shape, logits.Type.Accumulator(), logits.Backend, "cross-entropy");
        logits.Backend.Run(new SoftmaxCrossEntropyForward(logits.Read, labels.Read, losses.Write, logits.Shape[0], logits.Shape[1]));
        if (Tape.Tracks(logits))
            Tape.Record(new PerSampleOp(losses, logits, labels));
        return losses;
    }

    /// <summary>
    /// Losses, DOM's decision, the ledger rows and the gradient of a training step in one pass; see <see cref="SoftmaxCrossEntropyStep"/>.
    /// </summary>
    /// <remarks>Not recorded on a tape: the gradient that it returns is the seed for the tape of the logits.</remarks>
    /// <param name="logits">[N, C], C at least 2.</param>
    /// <param name="labels">[N], i32, each in 0 .. C - 1 (checked where data are loaded, not here).</param>
    /// <param name="sampleIds">[N], i32, all different: the rows of the ledger; needed only with a ledger.</param>
    /// <param name="ledger">
    /// [samples, 6], f32, columns as in <see cref="LedgerRow"/>; the rows of this batch are overwritten. Null: none is kept.
    /// </param>
    /// <param name="weights">[N], f32: a factor for each row; null for 1.</param>
    /// <param name="wantsGradient">Whether the gradient is computed.</param>
    /// <param name="comparison">Which rows count in the gradient.</param>
    /// <param name="threshold">DOM's threshold on the loss, in nats.</param>
    /// <param name="divisor">
    /// What the sum over the rows is divided by; null for N (DOM divides by the full batch), 0 for the sum of the kept rows' weights.
    /// </param>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    /// <exception cref="ArgumentException">A ledger without sample ids, or a divisor that is negative or not a number.</exception>
    public static LossStep Step(
        Tensor logits, Tensor labels, Tensor? sampleIds, Tensor? ledger, Tensor? weights = null, bool wantsGradient = true,
        LossComparison comparison = LossComparison.KeepAll, float threshold = 0, float? divisor = null)
    {
        CheckLogits(logits, labels);
        CheckStep(logits, sampleIds, ledger, weights);
        int rows = logits.Shape[0];
        float givenDivisor = divisor ?? rows;
        if (!(givenDivisor >= 0))
            throw new ArgumentException($"cross-entropy: the divisor must be 0 (the kept rows) or above, got {givenDivisor}.", nameof(divisor));
        var type = logits.Type.Accumulator();
        var losses = Tensor.Empty(labels.Shape, type, logits.Backend, "cross-entropy");
        var keep = comparison == LossComparison.KeepAll ? null : Tensor.Empty(labels.Shape, type, logits.Backend, "cross-entropy");
        var dlogits = wantsGradient ? Tensor.Empty(logits.Shape, logits.Type, logits.Backend, "cross-entropy") : null;
        logits.Backend.Run(new SoftmaxCrossEntropyStep(
            logits.Read, labels.Read, ledger is null ? View.None : sampleIds!.Read, weights?.Read ?? View.None, losses.Write,
            keep?.Write ?? View.None, dlogits?.Write ?? View.None, ledger?.ReadWrite ?? View.None,
            rows, logits.Shape[1], threshold, (int)comparison, givenDivisor));
        return new LossStep(losses, keep, dlogits);
    }

    private static void CheckLogits(Tensor logits, Tensor labels)
    {
        if (logits.Shape.Rank != 2 || logits.Shape[1] < 2 || !logits.Type.IsFloat())
            throw new ShapeException($"cross-entropy: logits must be real numbers [N, C] with at least 2 classes, got {logits}.");
        if (labels.Shape != Shape.Of(logits.Shape[0]) || labels.Type != DType.I32)
            throw new ShapeException($"cross-entropy: logits {logits.Shape} need labels i32 [{logits.Shape[0]}], one for each row; got {labels}.");
    }

    private static void CheckStep(Tensor logits, Tensor? sampleIds, Tensor? ledger, Tensor? weights)
    {
        var perRow = Shape.Of(logits.Shape[0]);
        if (weights is not null && (weights.Shape != perRow || weights.Type != logits.Type.Accumulator()))
            throw new ShapeException($"cross-entropy: logits {logits.Shape} need weights f32 {perRow}, one for each row; got {weights}.");
        if (ledger is null)
            return;
        if (ledger.Shape.Rank != 2 || ledger.Shape[1] != LedgerRow.Count || ledger.Type != DType.F32)
            throw new ShapeException($"cross-entropy: the ledger must be f32 [samples, {LedgerRow.Count}], got {ledger}.");
        if (sampleIds is null)
            throw new ArgumentException("cross-entropy: a ledger needs the sample ids of the rows.", nameof(sampleIds));
        if (sampleIds.Shape != perRow || sampleIds.Type != DType.I32)
            throw new ShapeException($"cross-entropy: logits {logits.Shape} need sample ids i32 {perRow}, one for each row; got {sampleIds}.");
    }

    private sealed class PerSampleOp : Op
    {
        private readonly Tensor _logits, _labels;

        public PerSampleOp(Tensor losses, Tensor logits, Tensor labels) : base("cross-entropy", losses, logits) =>
            (_logits, _labels) = (Save(logits), Save(labels));

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dlogits = gradients.Allocate(Input(0));
            Backend.Run(new SoftmaxCrossEntropyBackward(
                _logits.Read, _labels.Read, dy.Read, dlogits.Write, _logits.Shape[0], _logits.Shape[1]));
            gradients.AddOwned(Input(0), dlogits);
        }
    }
}
