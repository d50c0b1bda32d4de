using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>One row of the sums of a tall tile: one or two vectors, which stay in registers.</summary>
internal static unsafe class TallSums<TSimd, TVector, TColumns>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
    where TColumns : struct, IColumns
{
    /// <summary>Adds the float at <paramref name="factor"/> times the columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float* factor, TVector column0, TVector column1, ref TVector sum0, ref TVector sum1)
    {
        var x = TSimd.Broadcast(factor);
        sum0 = TSimd.MultiplyAdd(x, column0, sum0);
        if (TColumns.Count > 1)
            sum1 = TSimd.MultiplyAdd(x, column1, sum1);
    }

    /// <summary>Stores the row, or adds it to what is there, and says where the next one goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Store(float* target, bool adds, TVector sum0, TVector sum1)
    {
        TSimd.Store(adds ? TSimd.Add(sum0, TSimd.Load(target)) : sum0, target);
        if (TColumns.Count > 1)
            TSimd.Store(adds ? TSimd.Add(sum1, TSimd.Load(target + TSimd.Width)) : sum1, target + TSimd.Width);
        return target + TSimd.Width * TColumns.Count;
    }
}
