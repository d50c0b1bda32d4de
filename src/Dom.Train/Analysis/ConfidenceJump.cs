namespace Dom.Train.Analysis;

/// <summary>How much the share of high confidence is larger right after the warm-up than right before its end.</summary>
/// <param name="Before">Mean share over the epochs <paramref name="FirstBefore"/>..K - 1.</param>
/// <param name="After">Mean share over the epochs K + 1..<paramref name="LastAfter"/>.</param>
/// <param name="FirstBefore">First epoch of the window before K, from 1.</param>
/// <param name="LastAfter">Last epoch of the window after K, from 1.</param>
public sealed record ConfidenceJump(double Before, double After, int FirstBefore, int LastAfter)
{
    /// <summary>Epochs on each side of K.</summary>
    public const int Window = 5;

    /// <summary>The jump, -1..1: 0.2 is 20 points. The paper reports about 20 points in natural training, at the first drop of the learning rate.</summary>
    public double Size => After - Before;

    /// <summary>Compares the mean share of the epochs K + 1..K + 5 with that of K - 5..K - 1; fewer where the run has fewer.</summary>
    /// <param name="shares">Share of high confidence of every epoch, the first of epoch 1; NaN is left out.</param>
    /// <param name="warmup">K, in epochs. Epoch K itself belongs to neither side.</param>
    /// <returns>Null where one side has no epoch.</returns>
    public static ConfidenceJump? At(IReadOnlyList<double> shares, int warmup)
    {
        ArgumentNullException.ThrowIfNull(shares);
        int first = Math.Max(1, warmup - Window), last = Math.Min(shares.Count, warmup + Window);
        var before = Range(shares, first, warmup - 1);
        var after = Range(shares, warmup + 1, last);
        return before.Length == 0 || after.Length == 0 ? null : new ConfidenceJump(before.Average(), after.Average(), first, last);
    }

    /// <summary>The two windows in words: "epochs 11 to 15 against 5 to 9".</summary>
    internal string Windows(int warmup)
    {
        static string Span(int first, int last) => first == last ? $"{first}" : $"{first} to {last}";
        return $"{(LastAfter == warmup + 1 ? "epoch" : "epochs")} {Span(warmup + 1, LastAfter)} against {Span(FirstBefore, warmup - 1)}";
    }

    private static double[] Range(IReadOnlyList<double> shares, int from, int to) =>
        [.. Enumerable.Range(1, shares.Count).Where(epoch => epoch >= from && epoch <= to).Select(epoch => shares[epoch - 1]).Where(double.IsFinite)];
}
