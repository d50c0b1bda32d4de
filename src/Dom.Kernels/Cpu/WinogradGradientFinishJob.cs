using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// G^T s G of the sums of a <see cref="WinogradWeightGradientPlan"/>, stored as weights [K, 3, 3, C]. One task is a block of outputs and some inputs.
/// </summary>
internal readonly unsafe struct WinogradGradientFinishJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, float* sums, float* dweight, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Taps = 9, TapSide = 3, Chunk = 16, WidestBlock = 64;

    /// <summary>Floats of scratch memory for a worker.</summary>
    public static long WorkerFloats => Taps * Chunk * WidestBlock + WinogradWindow.Largest * TapSide * TSimd.Width;

    private int Chunks => (plan.Map.SourceChannels + Chunk - 1) / Chunk;

    public int Tasks => plan.OutputBlocks * Chunks;

    public void Execute(int task, int worker)
    {
        int block = task / Chunks, first = task % Chunks * Chunk, inputs = plan.Map.SourceChannels;
        int count = Math.Min(Chunk, inputs - first);
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        int channels = Math.Min(width, plan.Map.TargetChannels - channel);
        float* taps = workers[worker];
        Transform(sums + (nint)channel * plan.InputPitch + (nint)first * width, count * width, taps, Chunk * width);
        float** rows = stackalloc float*[Chunk];
        for (int tap = 0; tap < Taps; tap++)
        {
            for (int c = 0; c < count; c++)
                rows[c] = taps + (nint)(tap * Chunk + c) * width;
            Transpose.Rows(rows, count, channels, dweight + ((nint)channel * Taps + tap) * inputs + first, (nint)Taps * inputs);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform(float* source, int floats, float* taps, nint tap)
    {
        nint plane = (nint)plan.SumPlane;
        int lanes = TSimd.Width;
        float* buffer = taps + Taps * Chunk * WidestBlock;
        for (int at = 0; at < floats; at += lanes)
        {
            float* from = source + at;
            for (int j = 0; j < WinogradWindow.Largest; j++, from += plane)
                WinogradTransform<TSimd, TVector>.WeightGradient(
                    TSimd.Load(from), TSimd.Load(from + 6 * plane), TSimd.Load(from + 12 * plane), TSimd.Load(from + 18 * plane),
                    TSimd.Load(from + 24 * plane), TSimd.Load(from + 30 * plane), buffer + j * lanes, WinogradWindow.Largest * lanes);
            for (int i = 0; i < TapSide; i++)
            {
                float* row = buffer + i * WinogradWindow.Largest * lanes;
                WinogradTransform<TSimd, TVector>.WeightGradient(
                    TSimd.Load(row), TSimd.Load(row + lanes), TSimd.Load(row + 2 * lanes), TSimd.Load(row + 3 * lanes),
                    TSimd.Load(row + 4 * lanes), TSimd.Load(row + 5 * lanes), taps + i * TapSide * tap + at, tap);
            }
        }
    }
}
