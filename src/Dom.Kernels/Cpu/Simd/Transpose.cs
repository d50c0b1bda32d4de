using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>Turns rows into columns while operands are packed.</summary>
internal static unsafe class Transpose
{
    /// <summary>target[j pitch + i] = row i [j], for 4 rows of <paramref name="count"/> floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows(float* row0, float* row1, float* row2, float* row3, int count, float* target, nint pitch)
    {
        int j = 0;
        for (; j + 4 <= count; j += 4, target += 4 * pitch)
        {
            Vector128<float> a = Vector128.Load(row0 + j), b = Vector128.Load(row1 + j), c = Vector128.Load(row2 + j), d = Vector128.Load(row3 + j);
            Vector128<float> ac = Low(a, c), bd = Low(b, d), ac2 = High(a, c), bd2 = High(b, d);
            Low(ac, bd).Store(target);
            High(ac, bd).Store(target + pitch);
            Low(ac2, bd2).Store(target + 2 * pitch);
            High(ac2, bd2).Store(target + 3 * pitch);
        }
        for (; j < count; j++, target += pitch)
        {
            target[0] = row0[j];
            target[1] = row1[j];
            target[2] = row2[j];
            target[3] = row3[j];
        }
    }

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);
}
