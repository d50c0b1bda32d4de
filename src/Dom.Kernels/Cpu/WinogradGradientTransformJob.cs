using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Transforms the inputs and output gradients of a batch of tiles for a <see cref="WinogradWeightGradientPlan"/>. One task is a few tiles.</summary>
internal readonly unsafe struct WinogradGradientTransformJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, int firstTile, int tiles, float* x, float* dy, float* inputs, float* outputs, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => (tiles + WinogradWeightGradientPlan.TaskTiles - 1) / WinogradWeightGradientPlan.TaskTiles;

    /// <summary>Floats of scratch memory for a worker: a row of zeros and two buffers.</summary>
    public static long WorkerFloats(WinogradWeightGradientPlan plan) => ZeroFloats(plan) + 2 * WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);

    public void Execute(int task, int worker)
    {
        float* zeros = workers[worker], buffer = zeros + ZeroFloats(plan), packed = buffer + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);
        new Span<float>(zeros, ZeroFloats(plan)).Clear();
        int first = task * WinogradWeightGradientPlan.TaskTiles, end = Math.Min(tiles, first + WinogradWeightGradientPlan.TaskTiles);
        for (int i = first; i < end; i++)
            TransformInput(plan.Map.SourceWindow(x, firstTile + i, zeros), buffer, packed, inputs + (nint)i * TSimd.Width);
        for (int i = first; i < end; i++)
            TransformOutput(plan.Map.TargetWindow(dy, firstTile + i, zeros), buffer, packed, outputs + (nint)i * TSimd.Width);
    }

    private static int ZeroFloats(WinogradWeightGradientPlan plan) => plan.Map.Scheme.SourceSide * Math.Max(plan.InputPitch, plan.OutputPitch);

    private void TransformInput(in WinogradWindow window, float* buffer, float* packed, float* target)
    {
        int channels = plan.Map.SourceChannels, lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint plane = (nint)plan.InputPlane, block = (nint)plan.BatchTiles * lanes;
        WinogradTiles<TSimd, TVector>.Input(plan.Map.Scheme, window, channels, vectors, buffer, target, plane, block);
        if (rest == 0)
            return;
        var last = window.Packed(vectors * lanes, rest, channels, plan.Map.Scheme.SourceSide, lanes, packed);
        WinogradTiles<TSimd, TVector>.Input(plan.Map.Scheme, last, lanes, 1, buffer, target + vectors * block, plane, block);
    }

    private void TransformOutput(in WinogradWindow window, float* buffer, float* packed, float* target)
    {
        int channels = plan.Map.TargetChannels, lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint plane = (nint)plan.OutputPlane, block = (nint)plan.BatchTiles * lanes;
        WinogradTiles<TSimd, TVector>.OutputGradient(plan.Map.Scheme, window, channels, vectors, buffer, target, plane, block);
        if (rest == 0)
            return;
        var last = window.Packed(vectors * lanes, rest, channels, plan.Map.Scheme.TargetSide, lanes, packed);
        WinogradTiles<TSimd, TVector>.OutputGradient(plan.Map.Scheme, last, lanes, 1, buffer, target + vectors * block, plane, block);
    }
}
