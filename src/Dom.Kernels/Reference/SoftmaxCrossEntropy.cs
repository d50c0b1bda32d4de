using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend :
    IKernel<SoftmaxCrossEntropyForward>, IKernel<SoftmaxCrossEntropyBackward>, IKernel<SoftmaxCrossEntropyStep>
{
    void IKernel<SoftmaxCrossEntropyForward>.Run(in SoftmaxCrossEntropyForward call)
    {
        var logits = Load(call.Logits);
        var labels = LoadIntegers(call.Labels);
        var losses = new double[call.Rows];
        for (int n = 0; n < call.Rows; n++)
            losses[n] = CrossEntropy(logits.AsSpan(n * call.Classes, call.Classes), labels[n]).Loss;
        Store(losses, call.Losses);
    }

    void IKernel<SoftmaxCrossEntropyBackward>.Run(in SoftmaxCrossEntropyBackward call)
    {
        double[] logits = Load(call.Logits), dlosses = Load(call.DLosses);
        var labels = LoadIntegers(call.Labels);
        for (int n = 0; n < call.Rows; n++)
        {
            var row = logits.AsSpan(n * call.Classes, call.Classes);
            LossGradient(CrossEntropy(row, labels[n]).Error, dlosses[n], row);
        }
        Store(logits, call.DLogits);
    }

    void IKernel<SoftmaxCrossEntropyStep>.Run(in SoftmaxCrossEntropyStep call)
    {
        double[] logits = Load(call.Logits), weights = Load(call.Weights), ledger = Load(call.Ledger);
        int[] labels = LoadIntegers(call.Labels), ids = LoadIntegers(call.SampleIds);
        double[] losses = new double[call.Rows], keep = new double[call.Rows], w = new double[call.Rows];
        for (int n = 0; n < call.Rows; n++)
        {
            var row = logits.AsSpan(n * call.Classes, call.Classes);
            var (loss, probability, error) = CrossEntropy(row, labels[n]);
            losses[n] = call.Losses.Type == DType.F64 ? loss : (float)loss; // the mask is decided on what is stored
            keep[n] = IsKept(losses[n], call) ? 1 : 0;
            w[n] = call.Weights.IsNone ? keep[n] : keep[n] * weights[n];
            if (!call.Ledger.IsNone)
                WriteLedgerRow(row, labels[n], loss, probability, error, ledger.AsSpan(ids[n] * LedgerRow.Count, LedgerRow.Count));
        }
        double divisor = call.Divisor > 0 ? call.Divisor : w.Sum();
        for (int n = 0; n < call.Rows; n++)
        {
            var row = logits.AsSpan(n * call.Classes, call.Classes);
            LossGradient(CrossEntropy(row, labels[n]).Error, divisor == 0 ? 0 : w[n] / divisor, row);
        }
        Store(losses, call.Losses);
        Store(keep, call.Keep);
        Store(logits, call.DLogits);
        Store(ledger, call.Ledger);
    }

    private static bool IsKept(double loss, in SoftmaxCrossEntropyStep call) => (LossComparison)call.Comparison switch
    {
        LossComparison.KeepAbove => loss > call.Threshold,
        LossComparison.KeepAtOrAbove => loss >= call.Threshold,
        _ => true,
    };

    /// <summary>The loss of one row, the label's probability, and softmax minus one-hot label.</summary>
    private static (double Loss, double Probability, double[] Error) CrossEntropy(ReadOnlySpan<double> logits, int label)
    {
        double largest = double.NegativeInfinity, others = 0;
        foreach (double logit in logits)
            largest = Math.Max(largest, logit);
        var error = new double[logits.Length];
        for (int c = 0; c < error.Length; c++)
        {
            error[c] = Math.Exp(logits[c] - largest);
            others += c == label ? 0 : error[c];
        }
        double sum = others + error[label], probability = error[label] / sum;
        for (int c = 0; c < error.Length; c++)
            error[c] /= sum;
        error[label] = -others / sum; // p_y - 1 without its cancellation
        return (Math.Log(sum) + (largest - logits[label]), probability, error);
    }

    private static void LossGradient(double[] error, double weight, Span<double> dlogits)
    {
        for (int c = 0; c < error.Length; c++)
            dlogits[c] = weight == 0 ? 0 : weight * error[c];
    }

    private static void WriteLedgerRow(ReadOnlySpan<double> logits, int label, double loss, double probability, double[] error, Span<double> row)
    {
        if (double.IsNaN(loss))
        {
            row.Fill(double.NaN);
            (row[LedgerRow.Correct], row[LedgerRow.Prediction]) = (0, -1);
            return;
        }
        int prediction = 0;
        double largestOther = double.NegativeInfinity;
        for (int c = 0; c < logits.Length; c++)
        {
            if (logits[c] > logits[prediction])
                prediction = c;
            if (c != label)
                largestOther = Math.Max(largestOther, logits[c]);
        }
        row[LedgerRow.Loss] = loss;
        row[LedgerRow.Probability] = probability;
        row[LedgerRow.Margin] = logits[label] - largestOther;
        row[LedgerRow.ErrorNorm] = Math.Sqrt(error.Sum(e => e * e));
        row[LedgerRow.Correct] = prediction == label ? 1 : 0;
        row[LedgerRow.Prediction] = prediction;
    }
}
