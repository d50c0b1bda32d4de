namespace Dom.Bench.Ladder;

/// <summary>Numbers 0 .. count - 1, each given out once, to whichever thread asks first.</summary>
/// <remarks>
/// One at a time, for few large pieces: with larger portions the last one finds the other threads idle.
/// </remarks>
internal sealed class Tickets(int count)
{
    private int _next;

    /// <summary>The next number; false when all have been taken.</summary>
    public bool Take(out int number)
    {
        number = Interlocked.Increment(ref _next) - 1;
        return number < count;
    }

    /// <summary>
    /// Runs <paramref name="work"/> on so many threads at once, the caller's among them, and waits for all.
    /// </summary>
    public static void OnThreads(int threads, Action work)
    {
        if (threads == 1)
            work();
        else
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => work());
    }
}
