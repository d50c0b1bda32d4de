using System.Globalization;

namespace Dom.Bench;

/// <summary>
/// How much of the processors other processes took during a measurement. Threads that wait for each other by spinning, as OpenMP's do, become
/// several times slower when they have to share a core: a comparison that was made under such a load says nothing of a quiet machine.
/// </summary>
internal sealed class ForeignLoad(Func<TimeSpan> own)
{
    private readonly TimeSpan _ownBefore = own();
    private readonly (double Busy, double All) _before = Jiffies();

    /// <summary>Share of all processors' time since the start that was neither idle nor ours, 0..1; NaN where the system does not say.</summary>
    public double Share
    {
        get
        {
            const double JiffiesPerSecond = 100;
            var (busy, all) = Jiffies();
            double ours = (own() - _ownBefore).TotalSeconds * JiffiesPerSecond;
            return Math.Max(0, busy - _before.Busy - ours) / (all - _before.All);
        }
    }

    private static (double Busy, double All) Jiffies()
    {
        const string Statistics = "/proc/stat";
        if (!File.Exists(Statistics))
            return (double.NaN, double.NaN);
        // cpu user nice system idle iowait irq softirq steal; guests are counted in user already.
        double[] times = [.. File.ReadLines(Statistics).First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        return (times.Sum() - times[3] - times[4], times.Sum());
    }
}
