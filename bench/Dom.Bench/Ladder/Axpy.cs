using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Bench.Ladder;

/// <summary>
/// y += a x, the innermost loop of the rungs in the middle; an empty struct chosen as a type argument, so it is
/// inlined.
/// </summary>
internal unsafe interface IAxpy
{
    /// <summary>y[i] += a x[i] for i below <paramref name="count"/>, a multiple of 16.</summary>
    static abstract void Add(float a, float* x, float* y, int count);
}

/// <summary>One float at a time: a load, another, a product, a sum, a store, and the loop around them.</summary>
internal readonly unsafe struct ScalarAxpy : IAxpy
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float a, float* x, float* y, int count)
    {
        for (int i = 0; i < count; i++)
            y[i] += a * x[i];
    }
}

/// <summary>Sixteen at a time, and product and sum are one instruction.</summary>
internal readonly unsafe struct VectorAxpy : IAxpy
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float a, float* x, float* y, int count)
    {
        var factor = Vector512.Create(a);
        for (int i = 0; i < count; i += 16)
            Vector512.FusedMultiplyAdd(factor, Vector512.Load(x + i), Vector512.Load(y + i)).Store(y + i);
    }
}
