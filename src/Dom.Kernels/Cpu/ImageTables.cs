using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>Operations on bytes that map each value of a channel to another one: 256 results are computed and looked up.</summary>
internal static unsafe class ImageTables
{
    /// <summary>Applies an operation to an image [pixels, channels] in place.</summary>
    public static void Apply(ImageOperation operation, byte* x, int pixels, int channels, float* p)
    {
        byte* table = stackalloc byte[256];
        if (operation is ImageOperation.AutoContrast or ImageOperation.Equalize)
        {
            int* histogram = stackalloc int[256];
            for (int c = 0; c < channels; c++)
            {
                Count(x + c, pixels, channels, histogram);
                if (operation == ImageOperation.Equalize)
                    Equalize(histogram, pixels, table);
                else
                    Stretch(histogram, table);
                LookUp(table, x + c, pixels, channels);
            }
            return;
        }
        float mean = operation == ImageOperation.Contrast ? MeanGray(x, pixels, channels) : 0;
        for (int v = 0; v < 256; v++)
            table[v] = operation switch
            {
                ImageOperation.Posterize => (byte)(v & (int)p[0]),
                ImageOperation.Solarize => (byte)(v >= p[0] ? 255 - v : v),
                _ => Blend(v, mean, p), // brightness is a blend with 0
            };
        LookUp(table, x, pixels * channels, 1);
    }

    /// <summary>trunc(clamp(p[0] x + p[1] z)), each product rounded.</summary>
    public static byte Blend(float x, float z, float* p)
    {
        float one = p[0] * x, other = p[1] * z, sum = one + other;
        return sum > 0 ? (byte)MathF.Min(sum, 255) : (byte)0;
    }

    /// <summary>The gray of a pixel of three channels, an integer.</summary>
    public static int Gray(byte* pixel)
    {
        float red = 0.2989f * pixel[0], green = 0.587f * pixel[1], blue = 0.114f * pixel[2];
        return (int)(red + green + blue);
    }

    private static float MeanGray(byte* x, int pixels, int channels)
    {
        long sum = 0;
        for (int i = 0; i < pixels; i++)
            sum += channels == 1 ? x[i] : Gray(x + 3 * i);
        return (float)sum / pixels;
    }

    private static void Count(byte* x, int pixels, int channels, int* histogram)
    {
        new Span<int>(histogram, 256).Clear();
        for (int i = 0; i < pixels; i++)
            histogram[x[i * channels]]++;
    }

    private static void LookUp(byte* table, byte* x, int count, int stride)
    {
        for (int i = 0; i < count; i++, x += stride)
            *x = table[*x];
    }

    private static void Equalize(int* histogram, int pixels, byte* table)
    {
        int largest = new Span<int>(histogram, 256).LastIndexOfAnyExcept(0), step = (pixels - histogram[largest]) / 255, below = step / 2;
        table[0] = 0;
        for (int v = step == 0 ? 0 : 1; v < 256; v++)
        {
            below += v == 0 ? 0 : histogram[v - 1];
            table[v] = step == 0 ? (byte)v : (byte)Math.Min(255, below / step);
        }
    }

    private static void Stretch(int* histogram, byte* table)
    {
        var counts = new Span<int>(histogram, 256);
        int least = counts.IndexOfAnyExcept(0), most = counts.LastIndexOfAnyExcept(0);
        float reciprocal = 1f / (most - least), scale = reciprocal * 255; // rounded twice: Python divides 255 by a tensor so
        for (int v = least; v <= most; v++)
            table[v] = least == most ? (byte)v : (byte)MathF.Min((v - least) * scale, 255);
    }
}
