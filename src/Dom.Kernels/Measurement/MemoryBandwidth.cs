using System.Diagnostics;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Dom.Kernels.Measurement;

/// <summary>How fast the machine moves floats that do not fit its caches, in bytes per second; a store counts once, as in STREAM.</summary>
/// <param name="Copy">y = x with ordinary stores: the processor reads each line of y before it writes it.</param>
/// <param name="Triad">y = x + a z with ordinary stores.</param>
/// <param name="StreamingCopy">y = x with stores that bypass the caches: nothing of y is read.</param>
public readonly record struct MemoryBandwidth(double Copy, double Triad, double StreamingCopy)
{
    private const int FloatsPerThread = 16 << 20; // 64 MiB an array: no cache of a core holds it

    /// <summary>The largest of the three: what a kernel is held against.</summary>
    public double Limit => Math.Max(StreamingCopy, Math.Max(Copy, Triad));

    /// <summary>Measures, best of some rounds; takes about a quarter of a second and 192 MiB for each thread.</summary>
    /// <param name="threads">Threads that copy at the same time, at least 1.</param>
    /// <param name="rounds">Rounds, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one thread or round.</exception>
    public static unsafe MemoryBandwidth Measure(int threads, int rounds = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        long count = (long)FloatsPerThread * threads;
        var memory = (float*)HostMemory.Allocate(3 * count * sizeof(float));
        try
        {
            nint x = (nint)memory, y = (nint)(memory + count), z = (nint)(memory + 2 * count);
            InParallel(threads, at => new Span<float>((float*)x + at, FloatsPerThread).Fill(1), count, arrays: 3); // the first touch maps the pages
            double copy = 0, triad = 0, streaming = 0;
            for (int round = 0; round < rounds; round++)
            {
                copy = Math.Max(copy, 2 * sizeof(float) * count / InParallel(threads, at => CopyPart((float*)x + at, (float*)y + at), count));
                triad = Math.Max(triad, 3 * sizeof(float) * count / InParallel(threads, at => TriadPart((float*)x + at, (float*)z + at, (float*)y + at), count));
                streaming = Math.Max(streaming, 2 * sizeof(float) * count / InParallel(threads, at => StreamPart((float*)x + at, (float*)y + at), count));
            }
            return new MemoryBandwidth(copy, triad, streaming);
        }
        finally
        {
            HostMemory.Free(memory);
        }
    }

    /// <summary>Seconds from the first thread's start to the last one's end; thread i works from element i FloatsPerThread on, in every array.</summary>
    private static double InParallel(int threads, Action<long> work, long count, int arrays = 1)
    {
        using var start = new Barrier(threads);
        long begin = long.MaxValue, end = 0;
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            for (int array = 0; array < arrays; array++)
                work(array * count + (long)i * FloatsPerThread);
            long to = Stopwatch.GetTimestamp();
            lock (start)
                (begin, end) = (Math.Min(begin, from), Math.Max(end, to));
        })).ToArray();
        foreach (var worker in workers)
            worker.Start();
        foreach (var worker in workers)
            worker.Join();
        return Stopwatch.GetElapsedTime(begin, end).TotalSeconds;
    }

    // A loop of our own and not Span.CopyTo, which switches to streaming stores by itself.
    private static unsafe void CopyPart(float* x, float* y)
    {
        for (int i = 0; i < FloatsPerThread; i += Vector<float>.Count)
            Vector.Load(x + i).Store(y + i);
    }

    private static unsafe void TriadPart(float* x, float* z, float* y)
    {
        var a = new Vector<float>(0.5f);
        for (int i = 0; i < FloatsPerThread; i += Vector<float>.Count)
            Vector.FusedMultiplyAdd(a, Vector.Load(z + i), Vector.Load(x + i)).Store(y + i);
    }

    private static unsafe void StreamPart(float* x, float* y)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            for (int i = 0; i < FloatsPerThread; i += 16)
                Vector512.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (int i = 0; i < FloatsPerThread; i += 8)
                Vector256.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
        else
        {
            for (int i = 0; i < FloatsPerThread; i += 4)
                Vector128.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
    }
}
