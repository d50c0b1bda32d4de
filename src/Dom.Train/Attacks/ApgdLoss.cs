using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>What Auto-PGD raises.</summary>
public enum ApgdLoss
{
    /// <summary>Cross-entropy of the label.</summary>
    CrossEntropy,

    /// <summary>Difference of logits ratio; needs four classes.</summary>
    Dlr,

    /// <summary>The largest other logit minus the label's: DLR without its divisor.</summary>
    Margin,

    /// <summary>Difference of logits ratio towards a target class; needs four classes.</summary>
    TargetedDlr,

    /// <summary>The logit of a target class minus the label's: targeted DLR without its divisor.</summary>
    TargetedMargin,
}

/// <summary>Losses of a batch of images with their gradient.</summary>
/// <param name="Losses">Loss of each image, higher is closer to fooling the network.</param>
/// <param name="Predictions">Predicted class of each image, -1 where a logit is NaN.</param>
/// <param name="Gradient">Gradient of each image's own loss, [N, H, W, C]; owned by the scope that was open around the call.</param>
internal readonly record struct LossGradient(float[] Losses, int[] Predictions, Tensor Gradient)
{
    /// <summary>The losses of a batch and what would raise them.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="images">[N, H, W, C].</param>
    /// <param name="labels">[N].</param>
    /// <param name="targets">[N] for a targeted loss, else null.</param>
    /// <param name="pass">How the network is applied.</param>
    /// <param name="loss">The loss.</param>
    public static LossGradient Of(Network network, Tensor images, Tensor labels, Tensor? targets, Pass pass, ApgdLoss loss)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(images);
        var logits = network.Apply(images, pass);
        if (loss == ApgdLoss.CrossEntropy)
        {
            int rows = labels.Count;
            var places = Tensor.From(Enumerable.Range(0, rows).ToArray(), images.Backend);
            var figures = Tensor.Empty(Shape.Of(rows, LedgerRow.Count), DType.F32, images.Backend, "apgd");
            var step = SoftmaxCrossEntropy.Step(logits, labels, places, figures, divisor: 1);
            var gradient = scope.Keep(tape.Gradient(logits, step.DLogits!)[images]);
            var values = figures.ToFloats();
            return new LossGradient(Column(LedgerRow.Loss), Array.ConvertAll(Column(LedgerRow.Prediction), p => (int)p), gradient);

            float[] Column(int column) => [.. Enumerable.Range(0, rows).Select(n => values[n * LedgerRow.Count + column])];
        }
        var found = LogitLoss.Step(logits, labels, KindOf(loss), targets);
        var slope = scope.Keep(tape.Gradient(logits, found.DLogits!)[images]);
        float sign = SignOf(loss);
        return new LossGradient(Array.ConvertAll(found.Losses.ToFloats(), value => sign * value), found.Predictions.ToArray<int>(), slope);
    }

    /// <summary>-1 where the kernel's loss is one to be lowered: its gradient points the other way, and steps along it are below 0.</summary>
    public static int SignOf(ApgdLoss loss) => loss == ApgdLoss.Margin ? -1 : 1;

    private static LogitLossKind KindOf(ApgdLoss loss) => loss switch
    {
        ApgdLoss.Dlr => LogitLossKind.Dlr,
        ApgdLoss.Margin => LogitLossKind.Margin,
        ApgdLoss.TargetedDlr => LogitLossKind.TargetedDlr,
        ApgdLoss.TargetedMargin => LogitLossKind.Difference,
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "not a loss of logits."),
    };
}
