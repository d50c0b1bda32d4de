using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Measurement;

/// <summary>How fast the machine moves arrays of floats, in bytes per second; a store counts once, as in STREAM.</summary>
/// <param name="Copy">y = x with ordinary stores: the processor may read each line of y before it writes it.</param>
/// <param name="Triad">y = x + a z with ordinary stores.</param>
/// <param name="StreamingCopy">y = x with stores that bypass the caches: nothing of y is read.</param>
/// <param name="StreamingTriad">y = x + a z with stores that bypass the caches.</param>
/// <param name="Update">y = y + x in place: what is written was read anyway.</param>
public readonly record struct MemoryBandwidth(double Copy, double Triad, double StreamingCopy, double StreamingTriad, double Update)
{
    private const int FloatsPerThread = 16 << 20; // 64 MiB an array: no cache of a core holds it

    /// <summary>The largest of the five: what a kernel is held against.</summary>
    public double Limit => new[] { Copy, Triad, StreamingCopy, StreamingTriad, Update }.Max();

    /// <summary>Measures, best of some rounds; takes about half a second and 192 MiB for each thread unless said otherwise.</summary>
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
        return SimdSupport.Widest switch
        {
            SimdWidth.Bits512 => Measure<Simd512, Vector512<float>>(threads, rounds, part),
            SimdWidth.Bits256 => Measure<Simd256, Vector256<float>>(threads, rounds, part),
            _ => Measure<Simd128, Vector128<float>>(threads, rounds, part),
        };
    }

    private static unsafe MemoryBandwidth Measure<TSimd, TVector>(int threads, int rounds, int part)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        long count = (long)part * threads;
        var memory = (float*)HostMemory.Allocate(3 * count * sizeof(float));
        try
        {
            nint x = (nint)memory, y = (nint)(memory + count), z = (nint)(memory + 2 * count);
            InParallel(threads, at => new Span<float>((float*)x + at, part).Fill(1), part, count, arrays: 3); // the first touch maps the pages
            double copy = 0, triad = 0, streamingCopy = 0, streamingTriad = 0, update = 0;
            for (int round = 0; round < rounds; round++)
            {
                copy = Best(copy, 2, at => Loops<TSimd, TVector>.Copy((float*)x + at, (float*)y + at, part));
                triad = Best(triad, 3, at => Loops<TSimd, TVector>.Triad((float*)x + at, (float*)z + at, (float*)y + at, part));
                streamingCopy = Best(streamingCopy, 2, at => Loops<TSimd, TVector>.StreamingCopy((float*)x + at, (float*)y + at, part));
                streamingTriad = Best(streamingTriad, 3, at => Loops<TSimd, TVector>.StreamingTriad((float*)x + at, (float*)z + at, (float*)y + at, part));
                update = Best(update, 3, at => Loops<TSimd, TVector>.Triad((float*)y + at, (float*)z + at, (float*)y + at, part));
            }
            return new MemoryBandwidth(copy, triad, streamingCopy, streamingTriad, update);

            double Best(double before, int arrays, Action<long> work) =>
                Math.Max(before, (double)arrays * sizeof(float) * count / InParallel(threads, work, part, count));
        }
        finally
        {
            HostMemory.Free(memory);
        }
    }

    /// <summary>
    /// Seconds from the first thread's start to the last one's end; thread i works from element i part on, in every array. Timed is the second pass:
    /// the first puts the threads on their cores, and the caches into the state that the loop itself leaves.
    /// </summary>
    private static double InParallel(int threads, Action<long> work, int part, long count, int arrays = 1)
    {
        using var start = new Barrier(threads);
        long begin = long.MaxValue, end = 0;
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            Pass(i);
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            Pass(i);
            long to = Stopwatch.GetTimestamp();
            lock (start)
                (begin, end) = (Math.Min(begin, from), Math.Max(end, to));
        })).ToArray();
        foreach (var worker in workers)
            worker.Start();
        foreach (var worker in workers)
            worker.Join();
        return Stopwatch.GetElapsedTime(begin, end).TotalSeconds;

        void Pass(int i)
        {
            for (int array = 0; array < arrays; array++)
                work(array * count + (long)i * part);
        }
    }

    /// <summary>Loops of our own and not Span.CopyTo, which switches to streaming stores by itself.</summary>
    private static unsafe class Loops<TSimd, TVector>
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Copy(float* x, float* y, int part)
        {
            for (int i = 0; i < part; i += TSimd.Width)
                TSimd.Store(TSimd.Load(x + i), y + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Triad(float* x, float* z, float* y, int part)
        {
            var a = TSimd.Create(0.5f);
            for (int i = 0; i < part; i += TSimd.Width)
                TSimd.Store(TSimd.MultiplyAdd(a, TSimd.Load(z + i), TSimd.Load(x + i)), y + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void StreamingCopy(float* x, float* y, int part)
        {
            for (int i = 0; i < part; i += TSimd.Width)
                TSimd.StoreStreaming(TSimd.Load(x + i), y + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void StreamingTriad(float* x, float* z, float* y, int part)
        {
            var a = TSimd.Create(0.5f);
            for (int i = 0; i < part; i += TSimd.Width)
                TSimd.StoreStreaming(TSimd.MultiplyAdd(a, TSimd.Load(z + i), TSimd.Load(x + i)), y + i);
        }
    }
}
