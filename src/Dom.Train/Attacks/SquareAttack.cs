using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>Square: a random search that only asks for logits (Andriushchenko et al., ECCV 2020), so masked gradients do not stop it.</summary>
/// <remarks>
/// From vertical stripes on the surface of the ball: in each query a square window moves to one side of the ball, a side for each channel; a row keeps the change if its margin
/// z_y - max of the other logits falls. A row whose margin is 0 or below is done.
/// The window and the signs of a query are one draw for all rows, as in the authors' code, but keyed by seed and query alone and not drawn from a state that batches share: a sample
/// gets the same stripes and the same windows in any batch.
/// Images that are not square keep the authors' rule: the window is square, its area a share of the image's, cut to the shorter side.
/// </remarks>
public sealed class SquareAttack : IEvaluationAttack
{
    private readonly SquareOptions _options;

    /// <summary>The attack with AutoAttack's settings, or others.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public SquareAttack(SquareOptions? options = null)
    {
        _options = options ?? new SquareOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public EvaluationAttackKind Kind => EvaluationAttackKind.Square;

    /// <inheritdoc/>
    public AttackOutcome Run(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default)
    {
        Survivors.CheckPass(Kind.Name(), pass);
        if (batch.Count == 0 || budget.Epsilon == 0) // a ball of one point, which is classified correctly
            return new AttackOutcome(Survivors.Copy(batch.Clean), new bool[batch.Count]);
        using var scope = new TensorScope();
        var search = new Search(network, batch, pass, budget, progress, cancel);
        search.Start();
        while (search.Query < _options.Queries && search.Survivors.Count > 0)
            search.Continue(_options);
        progress?.Invoke(new AttackProgress(_options.Queries, _options.Queries, batch.Count - search.Survivors.Count));
        return new AttackOutcome(scope.Keep(search.Result()), search.Fooled);
    }

    private sealed class Search(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress, CancellationToken cancel)
    {
        private readonly float[] _margins = new float[batch.Count];
        private Tensor? _images; // the best images so far

        public Survivors Survivors { get; } = new(batch.Count);

        public bool[] Fooled { get; } = new bool[batch.Count];

        /// <summary>The next query.</summary>
        public int Query { get; private set; }

        /// <summary>Stripes.</summary>
        public void Start()
        {
            cancel.ThrowIfCancellationRequested();
            _images = SquareSearch.Stripes(batch.Clean, batch.SampleIds, budget.Stream(EvaluationAttackKind.Square), budget.Epsilon);
            using var query = new TensorScope();
            var (margins, predictions) = Ask(_images, batch.Labels);
            for (int n = 0; n < batch.Count; n++)
                Accept(n, margins[n], predictions[n]);
        }

        /// <summary>Queries in a batch of one size, until a smaller one is enough.</summary>
        public void Continue(SquareOptions options)
        {
            using var stage = new TensorScope();
            int[] rows = Survivors.Batch();
            var part = batch.Pick(rows);
            var places = Tensor.From(rows, batch.Clean.Backend);
            var x = Rows.Gather(_images!, places);
            for (; Query < options.Queries && Survivors.Count > 0 && Survivors.BatchSize == rows.Length; Query++)
            {
                cancel.ThrowIfCancellationRequested();
                x = Try(x, part, rows, options);
                progress?.Invoke(new AttackProgress(Query + 1, options.Queries, batch.Count - Survivors.Count));
            }
            Rows.Scatter(x, places, _images!);
        }

        /// <summary>The images that fool the network, and the clean ones elsewhere.</summary>
        public Tensor Result()
        {
            float[] isFooled = [.. Fooled.Select(f => f ? 1f : 0f)];
            return Rows.Blend(batch.Clean, _images!, Tensor.From(isFooled, Shape.Of(batch.Count), batch.Clean.Backend));
        }

        /// <summary>One query: the images with the window where that lowers the margin, as they are elsewhere.</summary>
        private Tensor Try(Tensor x, AttackBatch part, int[] rows, SquareOptions options)
        {
            using var query = new TensorScope();
            var shape = x.Shape; // [N, H, W, C]
            var stream = budget.Stream(EvaluationAttackKind.Square, 1L + Query); // number 0 made the stripes
            var move = SquareSchedule.Draw(stream, SquareSchedule.Share(options.InitialShare, Query), shape[1], shape[2], shape[3]);
            var signs = Tensor.From(move.Signs, Shape.Of(shape[3]), x.Backend);
            var candidate = SquareSearch.Window(part.Clean, x, signs, move.Top, move.Left, move.Side, budget.Epsilon);
            var (margins, predictions) = Ask(candidate, part.Labels);
            var isBetter = new float[rows.Length];
            for (int i = 0; i < rows.Length; i++)
                // Not "below": a margin that is not a number must be kept too.
                if (Survivors.Stands(rows[i]) && !(margins[i] >= _margins[rows[i]]))
                {
                    isBetter[i] = 1;
                    Accept(rows[i], margins[i], predictions[i]);
                }
            if (!isBetter.Contains(1))
                return x;
            var next = query.Keep(Rows.Blend(x, candidate, Tensor.From(isBetter, Shape.Of(rows.Length), x.Backend)));
            x.Dispose();
            return next;
        }

        private (float[] Margins, int[] Predictions) Ask(Tensor images, Tensor labels)
        {
            var result = LogitLoss.Step(network.Apply(images, pass), labels, LogitLossKind.Margin, wantsGradient: false);
            return (result.Losses.ToFloats(), result.Predictions.ToArray<int>());
        }

        private void Accept(int row, float margin, int prediction)
        {
            _margins[row] = margin;
            Fooled[row] = prediction != batch.HostLabels[row];
            if (!(margin > 0))
                Survivors.Remove(row);
        }
    }
}
