using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

// In f32 where every other definition is in f64: what these calls compute is what torchvision's f32 roundings make of bytes, and the last bit decides which.
public sealed partial class ReferenceBackend : IKernel<ImageChains>, IKernel<MixChains>
{
    void IKernel<ImageChains>.Run(in ImageChains call)
    {
        double[] images = Load(call.Images), y = new double[call.Y.Length];
        float[] parameters = Array.ConvertAll(Load(call.Parameters), p => (float)p);
        int[] operations = LoadIntegers(call.Operations);
        int size = call.Height * call.Width * call.Channels;
        for (int row = 0; row < call.Rows; row++)
        {
            var image = new ByteImage(call.Height, call.Width, call.Channels);
            for (int i = 0; i < size; i++)
                image.Pixels[i] = ToByte(images[row / call.ChainsPerImage * size + i]);
            for (int step = row * call.Length; step < (row + 1) * call.Length; step++)
                image = Apply((ImageOperation)operations[step], image, parameters.AsSpan(6 * step, 6), (ImageSampling)call.Sampling);
            for (int i = 0; i < size; i++)
                y[row * size + i] = image.Pixels[i] / 255.0;
        }
        Store(y, call.Y);
    }

    void IKernel<MixChains>.Run(in MixChains call)
    {
        double[] images = Load(call.Images), chains = Load(call.Chains), weights = Load(call.Weights), y = new double[call.Y.Length];
        for (int n = 0; n < call.Rows; n++)
            for (int i = 0; i < call.RowLength; i++)
            {
                int first = n * (call.ChainCount + 1);
                float sum = (float)weights[first] * ToByte(images[n * call.RowLength + i]);
                for (int k = 0; k < call.ChainCount; k++)
                {
                    float part = (float)weights[first + 1 + k] * ToByte(chains[(n * call.ChainCount + k) * call.RowLength + i]);
                    sum += part;
                }
                y[n * call.RowLength + i] = Truncated(sum) / 255.0;
            }
        Store(y, call.Y);
    }

    private static int ToByte(double pixel) => Truncated((float)pixel * 255.999f);

    /// <summary>The integer below, in 0..255; 0 for NaN.</summary>
    private static int Truncated(float v) => v > 0 ? (int)MathF.Min(v, 255) : 0;

    private static ByteImage Apply(ImageOperation operation, ByteImage x, ReadOnlySpan<float> p, ImageSampling sampling)
    {
        var y = new ByteImage(x.Height, x.Width, x.Channels);
        float mean = operation == ImageOperation.Contrast ? MeanGray(x) : 0;
        for (int c = 0; c < x.Channels; c++)
        {
            int[] equalized = operation == ImageOperation.Equalize ? Equalization(x, c) : [];
            var (least, scale) = operation == ImageOperation.AutoContrast ? Stretch(x, c) : default;
            for (int i = 0; i < x.Height; i++)
                for (int j = 0; j < x.Width; j++)
                {
                    int v = x[i, j, c];
                    y[i, j, c] = operation switch
                    {
                        ImageOperation.Identity => v,
                        <= ImageOperation.Rotate => sampling == ImageSampling.Nearest ? Nearest(x, i, j, c, p) : Bilinear(x, i, j, c, p),
                        ImageOperation.Brightness => Blend(v, 0, p),
                        ImageOperation.Color => x.Channels == 1 ? v : Blend(v, Gray(x, i, j), p),
                        ImageOperation.Contrast => Blend(v, mean, p),
                        ImageOperation.Sharpness => x.Height < 3 || x.Width < 3 ? v : Blend(v, Smoothed(x, i, j, c), p),
                        ImageOperation.Posterize => v & (int)p[0],
                        ImageOperation.Solarize => v >= p[0] ? 255 - v : v,
                        ImageOperation.AutoContrast => Truncated((v - least) * scale),
                        _ => equalized[v],
                    };
                }
        }
        return y;
    }

    private static int Blend(float x, float z, ReadOnlySpan<float> p)
    {
        float one = p[0] * x, other = p[1] * z; // rounded each
        return Truncated(one + other);
    }

    private static int Gray(ByteImage x, int i, int j)
    {
        if (x.Channels == 1)
            return x[i, j, 0];
        float red = 0.2989f * x[i, j, 0], green = 0.587f * x[i, j, 1], blue = 0.114f * x[i, j, 2];
        return (int)(red + green + blue);
    }

    private static float MeanGray(ByteImage x)
    {
        long sum = 0;
        for (int i = 0; i < x.Height; i++)
            for (int j = 0; j < x.Width; j++)
                sum += Gray(x, i, j);
        return (float)sum / (x.Height * x.Width);
    }

    private static int Smoothed(ByteImage x, int i, int j, int c)
    {
        if (i == 0 || j == 0 || i == x.Height - 1 || j == x.Width - 1)
            return x[i, j, c];
        int sum = 4 * x[i, j, c];
        for (int di = -1; di <= 1; di++)
            for (int dj = -1; dj <= 1; dj++)
                sum += x[i + di, j + dj, c];
        return (2 * sum + 13) / 26; // to the nearest; an odd divisor has no ties
    }

    private static (float Least, float Scale) Stretch(ByteImage x, int c)
    {
        int least = 255, most = 0;
        for (int i = 0; i < x.Height; i++)
            for (int j = 0; j < x.Width; j++)
                (least, most) = (Math.Min(least, x[i, j, c]), Math.Max(most, x[i, j, c]));
        float reciprocal = 1f / (most - least); // rounded before it meets 255: Python divides 255 by a tensor so
        return least == most ? (0, 1) : (least, reciprocal * 255);
    }

    private static int[] Equalization(ByteImage x, int c)
    {
        int[] histogram = new int[256], table = new int[256];
        for (int i = 0; i < x.Height; i++)
            for (int j = 0; j < x.Width; j++)
                histogram[x[i, j, c]]++;
        int largest = Array.FindLastIndex(histogram, count => count > 0), step = (x.Height * x.Width - histogram[largest]) / 255, below = 0;
        for (int v = 0; v < 256; v++)
        {
            table[v] = step == 0 ? v : v == 0 ? 0 : Math.Min(255, (below + step / 2) / step);
            below += histogram[v];
        }
        return table;
    }

    /// <summary>Where the pixel (i, j) comes from, in rows and columns.</summary>
    private static (float Row, float Column) Source(ByteImage x, int i, int j, ReadOnlySpan<float> p)
    {
        float u = j + 0.5f - 0.5f * x.Width, v = i + 0.5f - 0.5f * x.Height;
        float across = u * p[0] + v * p[1] + p[2], down = u * p[3] + v * p[4] + p[5]; // C# fuses nothing by itself
        // What PyTorch computes as a product of matrices rounds each product; its sampling behind that is fused.
        return (MathF.FusedMultiplyAdd(down + 1, 0.5f * x.Height, -0.5f), MathF.FusedMultiplyAdd(across + 1, 0.5f * x.Width, -0.5f));
    }

    private static int Nearest(ByteImage x, int i, int j, int c, ReadOnlySpan<float> p)
    {
        var (row, column) = Source(x, i, j, p);
        return x.AtOrBlack((int)MathF.Round(row, MidpointRounding.ToEven), (int)MathF.Round(column, MidpointRounding.ToEven), c);
    }

    private static int Bilinear(ByteImage x, int i, int j, int c, ReadOnlySpan<float> p)
    {
        var (row, column) = Source(x, i, j, p);
        float upper = MathF.Floor(row), left = MathF.Floor(column), down = row - upper, right = column - left, up = 1 - down, toLeft = 1 - right;
        int top = (int)upper, first = (int)left;
        float a = x.AtOrBlack(top, first, c), b = x.AtOrBlack(top, first + 1, c), d = x.AtOrBlack(top + 1, first, c), e = x.AtOrBlack(top + 1, first + 1, c);
        float sum = MathF.FusedMultiplyAdd(b, up * right, a * (up * toLeft));
        sum = MathF.FusedMultiplyAdd(d, down * toLeft, sum);
        return (int)MathF.Round(MathF.FusedMultiplyAdd(e, down * right, sum), MidpointRounding.ToEven);
    }

    private sealed record ByteImage(int Height, int Width, int Channels)
    {
        public int[] Pixels { get; } = new int[Height * Width * Channels];

        public int this[int i, int j, int c]
        {
            get => Pixels[(i * Width + j) * Channels + c];
            set => Pixels[(i * Width + j) * Channels + c] = value;
        }

        public int AtOrBlack(int i, int j, int c) => i >= 0 && i < Height && j >= 0 && j < Width ? this[i, j, c] : 0;
    }
}
