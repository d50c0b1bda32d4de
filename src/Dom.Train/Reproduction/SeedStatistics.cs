using System.Globalization;

namespace Dom.Train.Reproduction;

/// <summary>A number that was measured with several seeds.</summary>
/// <param name="Values">One a seed, in the order of the seeds; those that were not measured are missing.</param>
public sealed record SeedStatistics(IReadOnlyList<double> Values)
{
    /// <summary>How many there are.</summary>
    public int Count => Values.Count;

    /// <summary>The mean; null without values.</summary>
    public double? Mean => Count == 0 ? null : Values.Sum() / Count;

    /// <summary>The sample standard deviation, divided by n - 1; null for fewer than two. INFER: the paper does not say which one it prints.</summary>
    public double? Deviation => Count < 2 ? null : Math.Sqrt(Values.Sum(value => Math.Pow(value - Mean!.Value, 2)) / (Count - 1));

    /// <summary>"4.71 +- 0.05"; "not measured".</summary>
    public override string ToString() => Mean is not { } mean ? "not measured"
        : string.Create(CultureInfo.InvariantCulture, $"{mean:0.00}{(Deviation is { } deviation ? $" +- {deviation:0.00}" : "")}");
}
