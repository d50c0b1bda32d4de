using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>losses[n] = Scale sum_c p[n, c] (log p[n, c] - log q[n, c]) with p and q the softmaxes of two rows of logits, in nats.</summary>
/// <remarks>P and Q are logits [Rows, Classes]; losses [Rows]. The logarithms are taken in log space, so that a probability of 0 adds 0.</remarks>
public readonly record struct KlDivergenceForward(View P, View Q, View Losses, int Rows, int Classes, float Scale) : IKernelCall;

/// <summary>
/// With w = Scale dlosses[n] and KL the divergence of the row: dp[n, c] = w p (log p - log q - KL), dq[n, c] = w (q - p); a row with w = 0 is all zero.
/// </summary>
/// <remarks>DP and DQ are gradients with respect to the logits; either may be absent.</remarks>
public readonly record struct KlDivergenceBackward(
    View P, View Q, View DLosses, View DP, View DQ, int Rows, int Classes, float Scale) : IKernelCall;

/// <summary>How far the predictions for an attacked image are from those for the clean one: the second term of TRADES (Zhang et al., ICML 2019).</summary>
public static class KlDivergence
{
    /// <summary>Per-sample divergences KL(p || q) times <paramref name="scale"/> [N], in nats; f32, or f64 for f64 logits. Gradients flow to both.</summary>
    /// <param name="p">Logits of the reference [N, C], C at least 2: in TRADES those of the clean images.</param>
    /// <param name="q">Logits of its approximation, of that shape: those of the attacked images.</param>
    /// <param name="scale">A factor.</param>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Tensor PerSample(Tensor p, Tensor q, float scale = 1)
    {
        if (p.Shape.Rank != 2 || p.Shape[1] < 2 || !p.Type.IsFloat() || q.Shape != p.Shape || q.Type != p.Type)
            throw new ShapeException($"kl divergence: p and q must be real logits [N, C] of one shape and type with at least 2 classes, got {p} and {q}.");
        var losses = Tensor.Empty(Shape.Of(p.Shape[0]), p.Type.Accumulator(), p.Backend, "kl divergence");
        p.Backend.Run(new KlDivergenceForward(p.Read, q.Read, losses.Write, p.Shape[0], p.Shape[1], scale));
        if (Tape.Tracks(p) || Tape.Tracks(q))
            Tape.Record(new PerSampleOp(losses, p, q, scale));
        return losses;
    }

    private sealed class PerSampleOp : Op
    {
        private readonly Tensor _p, _q;
        private readonly float _scale;

        public PerSampleOp(Tensor losses, Tensor p, Tensor q, float scale) : base("kl divergence", losses, p, q) =>
            (_p, _q, _scale) = (Save(p), Save(q), scale);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dp = Needs(0) ? gradients.Allocate(Input(0)) : null;
            var dq = Needs(1) ? gradients.Allocate(Input(1)) : null;
            Backend.Run(new KlDivergenceBackward(
                _p.Read, _q.Read, dy.Read, dp?.Write ?? View.None, dq?.Write ?? View.None, _p.Shape[0], _p.Shape[1], _scale));
            if (dp is not null)
                gradients.AddOwned(Input(0), dp);
            if (dq is not null)
                gradients.AddOwned(Input(1), dq);
        }
    }
}
