using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>Losses of attacks that are functions of a few logits of a row: value, gradient and prediction of every row in one pass.</summary>
/// <remarks>
/// For every row n, with z its logits, y = labels[n], t = targets[n], o the largest other class than y, and z_(1), z_(2), ... the logits from the
/// largest down, a tie going to the class that comes first:
/// kind 0 (margin): losses[n] = z_y - z_o;
/// kind 1 (difference): losses[n] = z_t - z_y;
/// kind 2 (DLR): losses[n] = -(z_y - z_o) / (z_(1) - z_(3) + 1e-12), of at least 3 classes;
/// kind 3 (targeted DLR): losses[n] = -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2 + 1e-12), of at least 4 classes.
/// predictions[n] = the class of z_(1); dlogits[n] = the gradient of losses[n], in which the choice of o and of the order counts as constant. A row with a
/// NaN among its logits has the loss NaN, the prediction -1 and the gradient 0. Logits [Rows, Classes]; Labels [Rows] and Targets [Rows] i32,
/// not checked here; Predictions [Rows] i32. Targets may be absent for kinds 0 and 2, Predictions and DLogits always.
/// </remarks>
public readonly record struct LogitLossStep(
    View Logits, View Labels, View Targets, View Losses, View Predictions, View DLogits, int Rows, int Classes, int Kind) : IKernelCall;

/// <summary>Which loss an attack computes from logits.</summary>
public enum LogitLossKind
{
    /// <summary>z_y - max of the other logits: falls below 0 when the network is fooled, so an attack lowers it.</summary>
    Margin = 0,

    /// <summary>z_t - z_y for a target class t: above 0 when the network prefers the target, so an attack raises it.</summary>
    Difference = 1,

    /// <summary>Difference of logits ratio (Croce and Hein 2020, section 4): minus the margin over z_(1) - z_(3); an attack raises it.</summary>
    Dlr = 2,

    /// <summary>Difference of logits ratio towards a target class (Croce and Hein 2020, section 5); an attack raises it.</summary>
    TargetedDlr = 3,
}

/// <summary>What <see cref="LogitLoss.Step"/> found.</summary>
/// <param name="Losses">Loss of every row [N].</param>
/// <param name="Predictions">Class of the largest logit [N] i32, the first of them where several are; -1 where a logit is NaN.</param>
/// <param name="DLogits">Gradient of the sum of the losses with respect to the logits [N, C]; null where it was not wanted.</param>
public readonly record struct LogitLossResult(Tensor Losses, Tensor Predictions, Tensor? DLogits);

/// <summary>Losses that attacks climb or descend instead of the cross-entropy, whose gradient vanishes where a network is confident.</summary>
public static class LogitLoss
{
    /// <summary>Classes that the difference of logits ratio needs, targeted or not: it divides by a difference to the third and fourth largest logit.</summary>
    public const int DlrClasses = 4;

    /// <summary>Losses, predictions and gradient of a batch in one pass; see <see cref="LogitLossStep"/>.</summary>
    /// <remarks>Not recorded on a tape: the gradient that it returns is the seed for the tape of the logits.</remarks>
    /// <param name="logits">[N, C], C at least 2.</param>
    /// <param name="labels">[N] i32, each in 0 .. C - 1 (not checked).</param>
    /// <param name="kind">The loss.</param>
    /// <param name="targets">[N] i32, each in 0 .. C - 1 (not checked): for the difference and the targeted DLR, else null.</param>
    /// <param name="wantsGradient">Whether the gradient is computed.</param>
    /// <exception cref="ShapeException">The shapes or types do not fit, or a DLR has fewer than 4 classes.</exception>
    /// <exception cref="ArgumentException">The loss needs targets and there are none.</exception>
    public static LogitLossResult Step(Tensor logits, Tensor labels, LogitLossKind kind, Tensor? targets = null, bool wantsGradient = true)
    {
        Check(logits, labels, kind, targets);
        var backend = logits.Backend;
        var losses = Tensor.Empty(labels.Shape, logits.Type.Accumulator(), backend, "logit loss");
        var predictions = Tensor.Empty(labels.Shape, DType.I32, backend, "logit loss");
        var dlogits = wantsGradient ? Tensor.Empty(logits.Shape, logits.Type, backend, "logit loss") : null;
        backend.Run(new LogitLossStep(
            logits.Read, labels.Read, targets?.Read ?? View.None, losses.Write, predictions.Write, dlogits?.Write ?? View.None,
            logits.Shape[0], logits.Shape[1], (int)kind));
        return new LogitLossResult(losses, predictions, dlogits);
    }

    private static void Check(Tensor logits, Tensor labels, LogitLossKind kind, Tensor? targets)
    {
        if (logits.Shape.Rank != 2 || logits.Shape[1] < 2 || !logits.Type.IsFloat())
            throw new ShapeException($"logit loss: logits must be real numbers [N, C] with at least 2 classes, got {logits}.");
        if (labels.Shape != Shape.Of(logits.Shape[0]) || labels.Type != DType.I32)
            throw new ShapeException($"logit loss: logits {logits.Shape} need labels i32 [{logits.Shape[0]}], one for each row; got {labels}.");
        if (kind is LogitLossKind.Dlr or LogitLossKind.TargetedDlr && logits.Shape[1] < DlrClasses)
        {
            throw new ShapeException(
                $"logit loss: the difference of logits ratio needs at least {DlrClasses} classes, the logits {logits.Shape} have {logits.Shape[1]}; the margin or the "
                + "difference of two logits needs 2.");
        }
        if (kind is not (LogitLossKind.Difference or LogitLossKind.TargetedDlr))
            return;
        if (targets is null)
            throw new ArgumentException($"logit loss: {kind} needs a target class for each row.", nameof(targets));
        if (targets.Shape != labels.Shape || targets.Type != DType.I32)
            throw new ShapeException($"logit loss: logits {logits.Shape} need targets i32 [{logits.Shape[0]}], one for each row; got {targets}.");
    }
}
