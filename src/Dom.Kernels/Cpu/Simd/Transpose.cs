using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>Turns rows into columns while operands are packed.</summary>
internal static unsafe class Transpose
{
    /// <summary>target[j pitch + i] = rows[i][j], for <paramref name="count"/> rows of <paramref name="length"/> floats anywhere in memory.</summary>
    /// <remarks>Rows run in the inner loop, so that a line of the target is filled at once and not visited again.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows(float** rows, int count, int length, float* target, nint pitch)
    {
        int j = 0;
        for (; j + 4 <= length; j += 4, target += 4 * pitch)
        {
            int i = 0;
            for (; i + 4 <= count; i += 4)
                FourByFour(rows[i] + j, rows[i + 1] + j, rows[i + 2] + j, rows[i + 3] + j, target + i, pitch);
            for (; i < count; i++)
                for (int k = 0; k < 4; k++)
                    target[k * pitch + i] = rows[i][j + k];
        }
        for (; j < length; j++, target += pitch)
            for (int i = 0; i < count; i++)
                target[i] = rows[i][j];
    }

    /// <summary>target[j pitch + i] = tile[i width + j], for some rows and columns of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile(float* tile, int width, int rows, int columns, float* target, nint pitch)
    {
        int i = 0;
        for (; i + 4 <= rows; i += 4, tile += 4 * width)
        {
            int j = 0;
            for (; j + 4 <= columns; j += 4)
                FourByFour(tile + j, tile + width + j, tile + 2 * width + j, tile + 3 * width + j, target + i + j * pitch, pitch);
            for (; j < columns; j++)
                for (int k = 0; k < 4; k++)
                    target[j * pitch + i + k] = tile[k * width + j];
        }
        for (; i < rows; i++, tile += width)
            for (int j = 0; j < columns; j++)
                target[j * pitch + i] = tile[j];
    }

    /// <summary>target[j pitch + i] = row i [j], for 4 rows of 4 floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourByFour(float* row0, float* row1, float* row2, float* row3, float* target, nint pitch)
    {
        Vector128<float> a = Vector128.Load(row0), b = Vector128.Load(row1), c = Vector128.Load(row2), d = Vector128.Load(row3);
        Vector128<float> ac = Low(a, c), bd = Low(b, d), ac2 = High(a, c), bd2 = High(b, d);
        Low(ac, bd).Store(target);
        High(ac, bd).Store(target + pitch);
        Low(ac2, bd2).Store(target + 2 * pitch);
        High(ac2, bd2).Store(target + 3 * pitch);
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
