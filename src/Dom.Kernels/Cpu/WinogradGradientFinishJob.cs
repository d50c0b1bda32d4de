using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// G^T s G of the sums of a <see cref="WinogradWeightGradientPlan"/>, stored as weights [K, 3, 3, C]: for a block of outputs and a chunk of inputs at a time.
/// </summary>
internal readonly unsafe struct WinogradGradientFinish<TSimd, TVector>(WinogradWeightGradientPlan plan, float* dweight)
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Inputs of a chunk.</summary>
    public const int Chunk = 16;

    private const int Taps = 9, TapSide = 3, WidestBlock = 64, Points = 6, StridedPoints = 9, MostPoints = StridedPoints;

    private readonly float* _dweight = dweight;

    /// <summary>Floats of scratch memory that a chunk needs.</summary>
    public static long ScratchFloats => Taps * Chunk * WidestBlock + MostPoints * TapSide * TSimd.Width;

    /// <summary>Chunks of inputs.</summary>
    public int Chunks => (plan.Map.SourceChannels + Chunk - 1) / Chunk;

    /// <summary>Finishes chunk <paramref name="chunk"/> of block <paramref name="block"/>, whose sums [input][output] begin at the pointer in the first plane.</summary>
    public void Store(int block, int chunk, float* sums, nint plane, float* taps)
    {
        int first = chunk * Chunk, inputs = plan.Map.SourceChannels;
        int count = Math.Min(Chunk, inputs - first);
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        int channels = Math.Min(width, plan.Map.TargetChannels - channel);
        if (plan.Map.Scheme == WinogradScheme.Whole)
            Transform(sums, plane, count * width, taps, Chunk * width);
        else
            TransformStrided(sums, plane, count * width, taps, Chunk * width);
        float** rows = stackalloc float*[Chunk];
        for (int tap = 0; tap < Taps; tap++)
        {
            for (int c = 0; c < count; c++)
                rows[c] = taps + (nint)(tap * Chunk + c) * width;
            Transpose.Rows(rows, count, channels, _dweight + ((nint)channel * Taps + tap) * inputs + first, (nint)Taps * inputs);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(float* source, nint plane, int floats, float* taps, nint tap)
    {
        int lanes = TSimd.Width;
        float* buffer = taps + Taps * Chunk * WidestBlock;
        for (int at = 0; at < floats; at += lanes)
        {
            float* from = source + at;
            for (int j = 0; j < Points; j++, from += plane)
                WinogradTransform<TSimd, TVector>.WeightGradient(
                    TSimd.Load(from), TSimd.Load(from + 6 * plane), TSimd.Load(from + 12 * plane), TSimd.Load(from + 18 * plane),
                    TSimd.Load(from + 24 * plane), TSimd.Load(from + 30 * plane), buffer + j * lanes, Points * lanes);
            for (int i = 0; i < TapSide; i++)
            {
                float* row = buffer + i * Points * lanes;
                WinogradTransform<TSimd, TVector>.WeightGradient(
                    TSimd.Load(row), TSimd.Load(row + lanes), TSimd.Load(row + 2 * lanes), TSimd.Load(row + 3 * lanes),
                    TSimd.Load(row + 4 * lanes), TSimd.Load(row + 5 * lanes), taps + i * TapSide * tap + at, tap);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformStrided(float* source, nint plane, int floats, float* taps, nint tap)
    {
        int lanes = TSimd.Width;
        float* buffer = taps + Taps * Chunk * WidestBlock;
        for (int at = 0; at < floats; at += lanes)
        {
            for (int j = 0; j < StridedPoints; j++)
                WinogradStridedTransform<TSimd, TVector>.WeightGradient(
                    source + at + j * plane, StridedPoints * plane, buffer + j * lanes, StridedPoints * lanes);
            for (int i = 0; i < TapSide; i++)
                WinogradStridedTransform<TSimd, TVector>.WeightGradient(
                    buffer + i * StridedPoints * lanes, lanes, taps + i * TapSide * tap + at, tap);
        }
    }
}

/// <summary>Finishes all sums. One task is a block of outputs and a chunk of inputs.</summary>
internal readonly unsafe struct WinogradGradientFinishJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, WinogradGradientFinish<TSimd, TVector> finish, float* sums, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => plan.OutputBlocks * finish.Chunks;

    public void Execute(int task, int worker)
    {
        int block = task / finish.Chunks, chunk = task % finish.Chunks;
        int first = chunk * WinogradGradientFinish<TSimd, TVector>.Chunk, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        float* from = sums + (nint)block * plan.Shape.Width * plan.InputPitch + (nint)first * width;
        finish.Store(block, chunk, from, (nint)plan.SumPlane, workers[worker]);
    }
}
