using System.Diagnostics;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Dom.Kernels.Measurement;

/// <summary>How fast the machine moves arrays of floats, in bytes per second; a store counts once, as in STREAM.</summary>
/// <param name="Copy">y = x with ordinary stores: the processor reads each line of y before it writes it.</param>
/// <param name="Triad">y = x + a z with ordinary stores.</param>
/// <param name="StreamingCopy">y = x with stores that bypass the caches: nothing of y is read.</param>
/// <param name="StreamingTriad">y = x + a z with stores that bypass the caches.</param>
public readonly record struct MemoryBandwidth(double Copy, double Triad, double StreamingCopy, double StreamingTriad)
{
    private const int FloatsPerThread = 16 << 20; // 64 MiB an array: no cache of a core holds it

    /// <summary>The largest of the four: what a kernel is held against.</summary>
    public double Limit => Math.Max(Math.Max(StreamingCopy, StreamingTriad), Math.Max(Copy, Triad));

    /// <summary>Measures, best of some rounds; takes about a quarter of a second and 192 MiB for each thread unless said otherwise.</summary>
    /// <param name="threads">Threads that copy at the same time, at least 1.</param>
    /// <param name="rounds">Rounds, at least 1.</param>
    /// <param name="floats">
    /// Floats of each of the three arrays, at least 16 a thread, or 0 for more than any cache holds. Arrays of the size of a kernel's operands
    /// give the limit of that kernel: what of them stays in the third-level cache stays there for both.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one thread or round, or than 16 floats a thread.</exception>
    public static unsafe MemoryBandwidth Measure(int threads, int rounds = 5, long floats = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        int part = floats == 0 ? FloatsPerThread : checked((int)(floats / threads)) / 16 * 16;
        ArgumentOutOfRangeException.ThrowIfLessThan(part, 16, nameof(floats));
        long count = (long)part * threads;
        var memory = (float*)HostMemory.Allocate(3 * count * sizeof(float));
        try
        {
            nint x = (nint)memory, y = (nint)(memory + count), z = (nint)(memory + 2 * count);
            InParallel(threads, at => new Span<float>((float*)x + at, part).Fill(1), part, count, arrays: 3); // the first touch maps the pages
            double copy = 0, triad = 0, streaming = 0, streamingTriad = 0;
            for (int round = 0; round < rounds; round++)
            {
                copy = Math.Max(copy, 2 * sizeof(float) * count / InParallel(threads, at => CopyPart((float*)x + at, (float*)y + at, part), part, count));
                triad = Math.Max(triad, 3 * sizeof(float) * count / InParallel(threads, at => TriadPart((float*)x + at, (float*)z + at, (float*)y + at, part), part, count));
                streaming = Math.Max(streaming, 2 * sizeof(float) * count / InParallel(threads, at => StreamPart((float*)x + at, (float*)y + at, part), part, count));
                streamingTriad = Math.Max(streamingTriad, 3 * sizeof(float) * count
                    / InParallel(threads, at => StreamTriadPart((float*)x + at, (float*)z + at, (float*)y + at, part), part, count));
            }
            return new MemoryBandwidth(copy, triad, streaming, streamingTriad);
        }
        finally
        {
            HostMemory.Free(memory);
        }
    }

    /// <summary>Seconds from the first thread's start to the last one's end; thread i works from element i part on, in every array.</summary>
    private static double InParallel(int threads, Action<long> work, int part, long count, int arrays = 1)
    {
        using var start = new Barrier(threads);
        long begin = long.MaxValue, end = 0;
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            for (int array = 0; array < arrays; array++)
                work(array * count + (long)i * part);
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
    private static unsafe void CopyPart(float* x, float* y, int part)
    {
        for (int i = 0; i < part; i += Vector<float>.Count)
            Vector.Load(x + i).Store(y + i);
    }

    private static unsafe void TriadPart(float* x, float* z, float* y, int part)
    {
        var a = new Vector<float>(0.5f);
        for (int i = 0; i < part; i += Vector<float>.Count)
            Vector.FusedMultiplyAdd(a, Vector.Load(z + i), Vector.Load(x + i)).Store(y + i);
    }

    private static unsafe void StreamPart(float* x, float* y, int part)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            for (int i = 0; i < part; i += 16)
                Vector512.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (int i = 0; i < part; i += 8)
                Vector256.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
        else
        {
            for (int i = 0; i < part; i += 4)
                Vector128.LoadAligned(x + i).StoreAlignedNonTemporal(y + i);
        }
    }

    private static unsafe void StreamTriadPart(float* x, float* z, float* y, int part)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            for (int i = 0; i < part; i += 16)
                (Vector512.LoadAligned(x + i) + Vector512.LoadAligned(z + i)).StoreAlignedNonTemporal(y + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (int i = 0; i < part; i += 8)
                (Vector256.LoadAligned(x + i) + Vector256.LoadAligned(z + i)).StoreAlignedNonTemporal(y + i);
        }
        else
        {
            for (int i = 0; i < part; i += 4)
                (Vector128.LoadAligned(x + i) + Vector128.LoadAligned(z + i)).StoreAlignedNonTemporal(y + i);
        }
    }
}
