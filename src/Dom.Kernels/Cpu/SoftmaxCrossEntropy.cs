using System.Diagnostics;
using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One job serves the three calls: the loss alone, the gradient alone (its weights are dlosses) and the fused step. A row lives in the
// first-level cache from its largest logit to its gradient. Tasks are runs of rows whose length depends on the classes only. Where the
// divisor is the sum of the kept weights, the rows write their gradients undivided, the sum is taken in row order in f64, and a second
// pass divides.
public sealed unsafe partial class CpuBackend :
    IKernel<SoftmaxCrossEntropyForward>, IKernel<SoftmaxCrossEntropyBackward>, IKernel<SoftmaxCrossEntropyStep>
{
    void IKernel<SoftmaxCrossEntropyForward>.Run(in SoftmaxCrossEntropyForward call) => CrossEntropy(
        new SoftmaxCrossEntropyStep(
            call.Logits, call.Labels, View.None, View.None, call.Losses, View.None, View.None, View.None,
            call.Rows, call.Classes, 0, (int)LossComparison.KeepAll, 1),
        nameof(SoftmaxCrossEntropyForward));

    void IKernel<SoftmaxCrossEntropyBackward>.Run(in SoftmaxCrossEntropyBackward call) => CrossEntropy(
        new SoftmaxCrossEntropyStep(
            call.Logits, call.Labels, View.None, call.DLosses, View.None, View.None, call.DLogits, View.None,
            call.Rows, call.Classes, 0, (int)LossComparison.KeepAll, 1),
        nameof(SoftmaxCrossEntropyBackward));

    void IKernel<SoftmaxCrossEntropyStep>.Run(in SoftmaxCrossEntropyStep call)
    {
        CrossEntropy(call, nameof(SoftmaxCrossEntropyStep));
        if (call.Divisor > 0 || call.DLogits.IsNone)
            return;
        float* losses = (float*)call.Losses.Address, weights = (float*)call.Weights.Address;
        double divisor = 0;
        for (int n = 0; n < call.Rows; n++)
            divisor += RowWeight(losses[n], weights, n, call.Threshold, (LossComparison)call.Comparison);
        Elementwise(call.DLogits.Length, new DivideJob((float*)call.DLogits.Address, (float)divisor, call.DLogits.Length));
    }

    private void CrossEntropy(in SoftmaxCrossEntropyStep call, string name)
    {
        int rowsPerTask = Math.Max(1, 4096 / call.Classes); // an exponential costs several additions: smaller tasks than elementwise
        int scratchPerWorker = (call.Classes + 15) / 16 * 16; // whole cache lines, so that workers do not share one
        float* scratch = SharedScratch.Floats((long)_workers.Count * scratchPerWorker);
        var job = new CrossEntropyJob(
            Floats(call.Logits, name), (int*)call.Labels.Address, (int*)call.SampleIds.Address, Floats(call.Weights, name),
            Floats(call.Losses, name), Floats(call.Keep, name), Floats(call.DLogits, name), Floats(call.Ledger, name),
            call.Rows, call.Classes, call.Threshold, (LossComparison)call.Comparison, call.Divisor > 0 ? call.Divisor : 1,
            rowsPerTask, scratch, scratchPerWorker);
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, job);
    }

    private static bool IsKept(float loss, float threshold, LossComparison comparison) => comparison switch
    {
        LossComparison.KeepAbove => loss > threshold,
        LossComparison.KeepAtOrAbove => loss >= threshold,
        _ => true,
    };

    private static float RowWeight(float loss, float* weights, int row, float threshold, LossComparison comparison) =>
        !IsKept(loss, threshold, comparison) ? 0 : weights is null ? 1 : weights[row];

    private readonly struct CrossEntropyJob(
        float* logits, int* labels, int* ids, float* weights, float* losses, float* keep, float* dlogits, float* ledger,
        int rows, int classes, float threshold, LossComparison comparison, float divisor,
        int rowsPerTask, float* scratch, int scratchPerWorker) : IJob
    {
        private readonly float* _logits = logits, _weights = weights, _losses = losses, _keep = keep, _dlogits = dlogits, _ledger = ledger;
        private readonly int* _labels = labels, _ids = ids;
        private readonly float* _scratch = scratch;

        public void Execute(int task, int worker)
        {
            float* exponentials = _scratch + (long)worker * scratchPerWorker;
            int end = Math.Min(rows, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
                Row(n, exponentials);
        }

        private void Row(int n, float* exponentials)
        {
            float* z = _logits + (long)n * classes;
            int label = _labels[n];
            Debug.Assert((uint)label < (uint)classes, "labels are checked where data are loaded");
            float largestOther = MathF.Max(Largest(z, label), Largest(z + label + 1, classes - label - 1));
            float largest = MathF.Max(largestOther, z[label]);
            Exponentials(z, largest, exponentials);
            float own = exponentials[label];
            exponentials[label] = 0;
            var (others, squares) = Sums(exponentials);
            // In f64, and with the label's own term apart: log(1 + others) keeps its digits when others is 1e-9.
            float loss = (float)(Math.Log((double)own + others) + ((double)largest - z[label]));
            float sum = own + others;
            if (_losses is not null)
                _losses[n] = loss;
            if (_keep is not null)
                _keep[n] = IsKept(loss, threshold, comparison) ? 1 : 0;
            if (_ledger is not null)
            {
                float errorNorm = MathF.Sqrt(squares + others * others) / sum;
                WriteLedgerRow(_ledger + (long)_ids[n] * LedgerRow.Count, z, label, loss, own / sum, largestOther, errorNorm);
            }
            if (_dlogits is not null)
            {
                float weight = RowWeight(loss, _weights, n, threshold, comparison) / divisor;
                Gradient(_dlogits + (long)n * classes, exponentials, label, others, sum, weight);
            }
        }

        private void WriteLedgerRow(float* row, float* z, int label, float loss, float probability, float largestOther, float errorNorm)
        {
            bool isNumber = !float.IsNaN(loss);
            int prediction = !isNumber ? -1
                : z[label] > largestOther ? label
                : new ReadOnlySpan<float>(z, classes).IndexOf(largestOther); // a tie with the label goes to whichever comes first
            row[LedgerRow.Loss] = loss;
            row[LedgerRow.Probability] = probability;
            row[LedgerRow.Margin] = isNumber ? z[label] - largestOther : float.NaN;
            row[LedgerRow.ErrorNorm] = errorNorm;
            row[LedgerRow.Correct] = prediction == label ? 1 : 0;
            row[LedgerRow.Prediction] = prediction;
        }

        /// <summary>dlogits = weight (p - onehot); p_y - 1 = -others / sum, without the cancellation.</summary>
        private void Gradient(float* dlogits, float* exponentials, int label, float others, float sum, float weight)
        {
            if (weight == 0)
            {
                new Span<float>(dlogits, classes).Clear(); // also where the row is NaN: a removed sample moves nothing
                return;
            }
            float scale = weight / sum;
            int c = 0;
            for (; c <= classes - Vector<float>.Count; c += Vector<float>.Count)
                (Vector.Load(exponentials + c) * scale).Store(dlogits + c);
            for (; c < classes; c++)
                dlogits[c] = exponentials[c] * scale;
            dlogits[label] = -others * scale;
        }

        private void Exponentials(float* z, float largest, float* exponentials)
        {
            var shift = new Vector<float>(largest);
            int c = 0;
            for (; c <= classes - Vector<float>.Count; c += Vector<float>.Count)
                Vector.Exp(Vector.Load(z + c) - shift).Store(exponentials + c);
            for (; c < classes; c++)
                exponentials[c] = MathF.Exp(z[c] - largest);
        }

        /// <summary>Sum and sum of squares: one partial sum a lane, then the lanes in order, then what is left.</summary>
        private (float Sum, float Squares) Sums(float* values)
        {
            Vector<float> sums = default, squares = default;
            int c = 0;
            for (; c <= classes - Vector<float>.Count; c += Vector<float>.Count)
            {
                var v = Vector.Load(values + c);
                sums += v;
                squares = Vector.FusedMultiplyAdd(v, v, squares);
            }
            float sum = Vector.Sum(sums), square = Vector.Sum(squares);
            for (; c < classes; c++)
            {
                sum += values[c];
                square = MathF.FusedMultiplyAdd(values[c], values[c], square);
            }
            return (sum, square);
        }

        private static float Largest(float* values, int count)
        {
            float largest = float.NegativeInfinity;
            int i = 0;
            if (count >= Vector<float>.Count)
            {
                var lanes = new Vector<float>(float.NegativeInfinity);
                for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
                    lanes = Vector.Max(lanes, Vector.Load(values + i));
                for (int lane = 0; lane < Vector<float>.Count; lane++)
                    largest = MathF.Max(largest, lanes[lane]);
            }
            for (; i < count; i++)
                largest = MathF.Max(largest, values[i]);
            return largest;
        }
    }

    /// <summary>y /= divisor; all zeros where the divisor is 0.</summary>
    private readonly struct DivideJob(float* y, float divisor, int count) : IJob
    {
        private readonly float* _y = y;

        public void Execute(int task, int worker)
        {
            int start = task * ElementsPerTask, end = Math.Min(count, start + ElementsPerTask), i = start;
            if (divisor == 0)
            {
                new Span<float>(_y + start, end - start).Clear();
                return;
            }
            var divisors = new Vector<float>(divisor);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                (Vector.Load(_y + i) / divisors).Store(_y + i);
            for (; i < end; i++)
                _y[i] /= divisor;
        }
    }
}
