using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Bench.Ladder;

/// <summary>
/// The inner loops of the rungs in the middle: the sums of all output channels of a pixel grow side by side.
/// </summary>
/// <remarks>Not inlined, so that rungs which differ in their outer loops run the very same instructions inside.</remarks>
internal unsafe interface IPanelSums
{
    /// <summary>sums[k] += sum over steps of x[step] panel[step, k], for k below a multiple of 16.</summary>
    static abstract void Add(float* x, float* panel, int steps, float* sums, int outputs);
}

/// <summary>One float at a time: a load, another, a product, a sum, a store, and the loop around them.</summary>
internal readonly unsafe struct ScalarSums : IPanelSums
{
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, float* panel, int steps, float* sums, int outputs)
    {
        for (nint step = 0; step < steps; step++, panel += outputs)
        {
            float factor = x[step];
            for (nint k = 0; k < outputs; k++)
                sums[k] += factor * panel[k];
        }
    }
}

/// <summary>Sixteen at a time, and product and sum are one instruction.</summary>
internal readonly unsafe struct VectorSums : IPanelSums
{
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, float* panel, int steps, float* sums, int outputs)
    {
        for (nint step = 0; step < steps; step++, panel += outputs)
        {
            var factor = Vector512.Create(x[step]);
            for (nint k = 0; k < outputs; k += 16)
                Vector512.FusedMultiplyAdd(factor, Vector512.Load(panel + k), Vector512.Load(sums + k)).Store(sums + k);
        }
    }
}
