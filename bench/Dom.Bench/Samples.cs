using System.Globalization;

namespace Dom.Bench;

/// <summary>Milliseconds of some rounds of the same work.</summary>
internal sealed class Samples
{
    private readonly List<double> _milliseconds = [];

    public double Median
    {
        get
        {
            var sorted = _milliseconds.Order().ToArray();
            int middle = sorted.Length / 2;
            return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    public double Min => _milliseconds.Min();

    public double Max => _milliseconds.Max();

    public void Add(double milliseconds) => _milliseconds.Add(milliseconds);

    /// <summary>Median, slowest and fastest as a rate of <paramref name="count"/> things in a round: "55.1 (50.0-56.2)".</summary>
    public string Rate(int count) => string.Create(CultureInfo.InvariantCulture,
        $"{1e3 * count / Median:F1} ({1e3 * count / Max:F1}-{1e3 * count / Min:F1})");
}
