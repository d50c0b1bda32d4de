using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class CastCases
{
    // Ties between two bf16 (to the even one), just beside them, what overflows, what is subnormal, NaN with a payload that must not be cut off.
    private static readonly float[] s_special =
    [
        0, -0f, 1.00390625f, 1.01171875f, 1.0039064f, 1.0039062f, -1.00390625f, float.MaxValue, float.MinValue, 3.3961775e38f, 1e-40f, -1e-45f,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN, BitConverter.UInt32BitsToSingle(0x7F800001), 65504, 1f / 3,
    ];

    public static IEnumerable<KernelCase> All()
    {
        foreach (int count in (int[])[1, 15, 33, 1000, 40001])
        {
            yield return Exact($"f32 to bf16, {count}", DType.BF16, b => new(b.Parameters(count, -9, 9), b.OutputOf(DType.BF16, count)));
            yield return Exact($"bf16 to f32, {count}", DType.BF16, b => new(b.Random(count, -9, 9), b.OutputOf(DType.F32, count)));
            yield return Exact($"u8 to f32, {count}", DType.F32, b => new(b.Bytes(count), b.OutputOf(DType.F32, count)));
            yield return Exact($"i32 to f32, {count}", DType.F32, b => new(b.Integers(count, int.MaxValue), b.OutputOf(DType.F32, count)));
        }
        // Repeated, so that each meets the vectors and what is left over.
        float[] special = [.. s_special, .. s_special, .. s_special];
        yield return Exact("f32 to bf16, special values", DType.BF16, b => new(
            b.ValuesOf(DType.F32, special), b.OutputOf(DType.BF16, special.Length)));
        yield return Exact("bf16 to f32, special values", DType.BF16, b => new(
            b.ValuesOf(DType.BF16, special), b.OutputOf(DType.F32, special.Length)));
    }

    private static KernelCase<Cast> Exact(string label, DType type, Func<Buffers, Cast> build) =>
        new(build) { Label = label, Tolerance = 0, Type = type };
}
