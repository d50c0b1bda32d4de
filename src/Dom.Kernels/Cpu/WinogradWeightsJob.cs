using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// G g G^T of weights [K, 3, 3, C], laid out as [product][source channel][target channel of a block]. It is done for a block of target channels and a
/// chunk of source channels at a time: their nine taps are packed with the target channels side by side, then transformed a vector at a time.
/// </summary>
internal readonly unsafe struct WinogradWeights<TSimd, TVector>(WinogradPlan plan, float* weight, bool inputGradient)
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Source channels of a chunk.</summary>
    public const int Chunk = WinogradPlan.WeightChunk;

    private const int Taps = 9, TapSide = 3, WidestBlock = 64, Points = 6, StridedPoints = 9, MostPoints = StridedPoints;

    private readonly float* _weight = weight;

    /// <summary>Floats of scratch memory that a chunk needs.</summary>
    public static long ScratchFloats => Taps * Chunk * WidestBlock + MostPoints * (TapSide + 1) * TSimd.Width;

    /// <summary>Chunks of source channels.</summary>
    public int Chunks => (plan.Map.SourceChannels + Chunk - 1) / Chunk;

    /// <summary>Transforms chunk <paramref name="chunk"/> of block <paramref name="block"/>; the target is where the block begins in the first product, planes are those of products.</summary>
    public void Transform(int block, int chunk, float* taps, float* target, nint plane)
    {
        int first = chunk * Chunk, count = Math.Min(Chunk, plan.Map.SourceChannels - first);
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        int channels = Math.Min(width, plan.Map.TargetChannels - channel);
        if (channels < width)
            new Span<float>(taps, Taps * Chunk * width).Clear();
        for (int tap = 0; tap < Taps; tap++)
            if (inputGradient)
                CopyTap(Taps - 1 - tap, first, count, channel, channels, taps + tap * Chunk * width, width);
            else
                TurnTap(tap, first, count, channel, channels, taps + tap * Chunk * width, width);
        if (plan.Map.Scheme == WinogradScheme.Whole)
            Transform(taps, Chunk * width, count * width, target + (nint)first * width, plane);
        else
            TransformStrided(taps, Chunk * width, count * width, target + (nint)first * width, plane, plan.Map.Scheme.PositionOf);
    }

    /// <summary>Transforms some chunks of a block; the target is where the first of them begins in the first product.</summary>
    public void TransformPiece(int block, int start, int end, float* taps, float* target, nint plane)
    {
        nint skipped = (nint)start * Chunk * plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        for (int chunk = start; chunk < end; chunk++)
            Transform(block, chunk, taps, target - skipped, plane);
    }

    /// <summary>Source channels are outputs k, target channels inputs c, which lie side by side in memory.</summary>
    private void CopyTap(int tap, int first, int count, int channel, int channels, float* target, int width)
    {
        for (int k = 0; k < count; k++)
            new ReadOnlySpan<float>(_weight + ((nint)(first + k) * Taps + tap) * plan.Map.TargetChannels + channel, channels)
                .CopyTo(new Span<float>(target + k * width, channels));
    }

    /// <summary>Source channels are inputs c, target channels outputs k.</summary>
    private void TurnTap(int tap, int first, int count, int channel, int channels, float* target, int width)
    {
        nint pitch = (nint)Taps * plan.Map.SourceChannels;
        float** rows = stackalloc float*[WidestBlock];
        for (int k = 0; k < channels; k++)
            rows[k] = _weight + (channel + k) * pitch + (nint)tap * plan.Map.SourceChannels + first;
        Transpose.Rows(rows, channels, count, target, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(float* taps, nint tap, int floats, float* target, nint plane)
    {
        int lanes = TSimd.Width;
        float* buffer = taps + (nint)Taps * Chunk * WidestBlock;
        for (int at = 0; at < floats; at += lanes)
        {
            for (int j = 0; j < TapSide; j++)
            {
                float* column = taps + j * tap + at;
                WinogradTransform<TSimd, TVector>.Weights(
                    TSimd.Load(column), TSimd.Load(column + 3 * tap), TSimd.Load(column + 6 * tap), buffer + j * lanes, TapSide * lanes);
            }
            for (int i = 0; i < Points; i++)
            {
                float* row = buffer + i * TapSide * lanes;
                WinogradTransform<TSimd, TVector>.Weights(
                    TSimd.Load(row), TSimd.Load(row + lanes), TSimd.Load(row + 2 * lanes), target + at + i * Points * plane, plane);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformStrided(float* taps, nint tap, int floats, float* target, nint plane, int[] positions)
    {
        int lanes = TSimd.Width;
        float* buffer = taps + (nint)Taps * Chunk * WidestBlock, points = buffer + StridedPoints * TapSide * lanes;
        for (int at = 0; at < floats; at += lanes)
        {
            for (int j = 0; j < TapSide; j++)
            {
                float* column = taps + j * tap + at;
                WinogradStridedTransform<TSimd, TVector>.Weights(
                    TSimd.Load(column), TSimd.Load(column + 3 * tap), TSimd.Load(column + 6 * tap), buffer + j * lanes, TapSide * lanes);
            }
            for (int i = 0; i < StridedPoints; i++)
            {
                float* row = buffer + i * TapSide * lanes;
                WinogradStridedTransform<TSimd, TVector>.Weights(
                    TSimd.Load(row), TSimd.Load(row + lanes), TSimd.Load(row + 2 * lanes), points, lanes);
                for (int j = 0; j < StridedPoints; j++)
                    TSimd.Store(TSimd.Load(points + j * lanes), target + at + positions[i * StridedPoints + j] * plane);
            }
        }
    }
}

/// <summary>Transforms all weights for a <see cref="WinogradGatherJob{TSimd,TVector}"/>. One task is a block of target channels and a chunk of source channels.</summary>
internal readonly unsafe struct WinogradWeightsJob<TSimd, TVector>(
    WinogradPlan plan, WinogradWeights<TSimd, TVector> weights, float* transformed, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => plan.Shape.Blocks(plan.Map.TargetChannels) * weights.Chunks;

    public void Execute(int task, int worker)
    {
        int block = task / weights.Chunks;
        float* target = transformed + (nint)block * plan.Shape.Width * plan.Map.SourceChannels;
        weights.Transform(block, task % weights.Chunks, workers[worker], target, (nint)plan.WeightPlane);
    }
}
