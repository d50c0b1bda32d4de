using System.Diagnostics;
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

    /// <summary>Median, fastest and slowest: "18.10 (17.95-19.60)".</summary>
    public string Times => string.Create(CultureInfo.InvariantCulture, $"{Median:F2} ({Min:F2}-{Max:F2})");

    /// <summary>
    /// Milliseconds of a call: the mean over as many calls as fill the seconds, after others that fill the warm ones.
    /// </summary>
    public static double OfCall(Action call, double warmSeconds, double seconds)
    {
        Fill(warmSeconds);
        return Fill(seconds);

        double Fill(double wanted)
        {
            long begin = Stopwatch.GetTimestamp();
            for (int calls = 1; ; calls++)
            {
                call();
                var elapsed = Stopwatch.GetElapsedTime(begin);
                if (elapsed.TotalSeconds >= wanted)
                    return elapsed.TotalMilliseconds / calls;
            }
        }
    }

    public void Add(double milliseconds) => _milliseconds.Add(milliseconds);

    /// <summary>
    /// Median, slowest and fastest as a rate of <paramref name="count"/> things in a round: "55.1 (50.0-56.2)".
    /// </summary>
    public string Rate(int count) => string.Create(CultureInfo.InvariantCulture,
        $"{1e3 * count / Median:F1} ({1e3 * count / Max:F1}-{1e3 * count / Min:F1})");
}
