using System.Diagnostics;
using Dom.Tensors.Backend;

namespace Dom.Cli.Bench;

/// <summary>How long some rounds of the same work took, in seconds.</summary>
/// <param name="Median">The middle one; of an even number the upper of the two.</param>
/// <param name="Fastest">The shortest.</param>
/// <param name="Slowest">The longest.</param>
/// <param name="Count">How many there were.</param>
internal readonly record struct Durations(double Median, double Fastest, double Slowest, int Count)
{
    /// <summary>Does the work again and again.</summary>
    /// <param name="work">What is done in a round; what it queues counts where the next one waits for it.</param>
    /// <param name="seconds">The rounds take at least so long together.</param>
    /// <param name="fewest">There are at least so many rounds, at least 1.</param>
    /// <param name="most">And at most so many.</param>
    public static Durations Measure(Action work, double seconds, int fewest, int most = int.MaxValue)
    {
        var samples = new List<double>();
        long begin = Stopwatch.GetTimestamp();
        while (samples.Count < fewest || (samples.Count < most && Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds))
            samples.Add(SecondsOf(work));
        return Of(samples);
    }

    /// <summary>
    /// How long work takes that is queued on a device: so many times in a row between two synchronizations that a round lasts long enough for the clock and for
    /// the cost of synchronizing; five such rounds after those that found out how many.
    /// </summary>
    /// <param name="backend">Where it is queued.</param>
    /// <param name="work">Queues it once.</param>
    /// <param name="seconds">How long a round lasts at least.</param>
    public static Durations MeasureQueued(IBackend backend, Action work, double seconds)
    {
        const int Rounds = 5, MostRepeats = 1 << 16;
        backend.Synchronize();
        int repeats = 1;
        for (double taken = Round(); taken < seconds && repeats < MostRepeats; taken = Round())
            repeats = (int)Math.Min(MostRepeats, Math.Max(2.0 * repeats, 1.1 * repeats * seconds / taken));
        return Of([.. Enumerable.Range(0, Rounds).Select(_ => Round() / repeats)]);

        double Round() => SecondsOf(() =>
        {
            for (int i = 0; i < repeats; i++)
                work();
            backend.Synchronize();
        });
    }

    private static double SecondsOf(Action work)
    {
        long begin = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static Durations Of(List<double> samples)
    {
        samples.Sort();
        return new Durations(samples[samples.Count / 2], samples[0], samples[^1], samples.Count);
    }
}
