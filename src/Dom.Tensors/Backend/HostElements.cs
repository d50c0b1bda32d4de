using System.Runtime.InteropServices;

namespace Dom.Tensors.Backend;

/// <summary>Bytes that were copied from a backend, as numbers.</summary>
internal static class HostElements
{
    /// <summary>The elements as f64, exactly.</summary>
    public static double[] ToDoubles(ReadOnlySpan<byte> bytes, DType type)
    {
        var values = new double[bytes.Length / type.Size()];
        switch (type)
        {
            case DType.F32:
                Widen(MemoryMarshal.Cast<byte, float>(bytes), values, v => v);
                break;
            case DType.BF16:
                Widen(MemoryMarshal.Cast<byte, BFloat16>(bytes), values, v => v.ToSingle());
                break;
            case DType.F64:
                MemoryMarshal.Cast<byte, double>(bytes).CopyTo(values);
                break;
            case DType.I32:
                Widen(MemoryMarshal.Cast<byte, int>(bytes), values, v => v);
                break;
            default:
                Widen(bytes, values, v => v);
                break;
        }
        return values;
    }

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static int FirstNotFinite(ReadOnlySpan<double> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!double.IsFinite(values[i]))
                return i;
        return -1;
    }

    private static void Widen<T>(ReadOnlySpan<T> from, double[] to, Func<T, double> widen)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] = widen(from[i]);
    }
}
