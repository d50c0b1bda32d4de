using System.Runtime.Intrinsics;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// The input gradient of a convolution with few input channels (the first one of a network, which an attack needs). Gathering would use three lanes of a
/// vector; instead all products of an image, dy [P Q, K] times weights [K, R S C], are taken at once, and each pixel of dx then collects those of its taps. One task is an image.
/// </summary>
internal readonly unsafe struct Conv2dFewChannelsJob(
    Conv2dSizes sizes, Conv2dGatherPlan products, float* dy, float* packed, float* dx, float** workers, float* zeros) : IJob
{
    private const int Lanes = 4; // a vector of four floats holds the channels of a pixel

    /// <summary>Whether this way pays.</summary>
    public static bool Suits(Conv2dSizes sizes) => sizes.Inputs <= Lanes && sizes.KernelHeight * sizes.KernelWidth > 1;

    /// <summary>One image of products: a 1x1 convolution whose input channels are the taps and channels of this one.</summary>
    public static Conv2dSizes Products(Conv2dSizes s) =>
        new(1, s.OutputHeight, s.OutputWidth, s.KernelHeight * s.KernelWidth * s.Inputs, s.Outputs, 1, 1, 1, 0);

    /// <summary>Floats that a worker needs: the products of an image, what a vector reads past the last, and the sums of a row.</summary>
    public static long WorkerFloats(Conv2dSizes sizes, Conv2dGatherPlan products) => products.TargetImage + Lanes + (long)Lanes * sizes.Width;

    public void Execute(int task, int worker)
    {
        float* taps = workers[worker];
        var gather = new Conv2dGatherJob(products, dy + (nint)task * products.SourceImage, packed, taps, zeros, streams: false);
        for (int part = 0; part < products.Tasks; part++)
            gather.Execute(part, worker);
        float* sums = taps + products.TargetImage + Lanes;
        int row = sizes.Width * sizes.Inputs;
        for (int h = 0; h < sizes.Height; h++)
            CollectRow(taps, h, sums, dx + ((nint)task * sizes.Height + h) * row);
    }

    /// <summary>Row <paramref name="h"/> of dx, summed as vectors of one pixel each whose last lanes hold what does not belong to it.</summary>
    private void CollectRow(float* taps, int h, float* sums, float* target)
    {
        new Span<float>(sums, Lanes * sizes.Width).Clear();
        int padded = h + sizes.Padding;
        for (int r = padded % sizes.Stride, p = padded / sizes.Stride; r < sizes.KernelHeight && p >= 0; r += sizes.Stride, p--)
            if (p < sizes.OutputHeight)
                for (int s = 0; s < sizes.KernelWidth; s++)
                {
                    int right = s - sizes.Padding, q = Math.Max(0, (sizes.Stride - 1 - right) / sizes.Stride);
                    int end = right >= sizes.Width ? 0 : Math.Min(sizes.OutputWidth, (sizes.Width - 1 - right) / sizes.Stride + 1);
                    float* source = taps + (nint)(p * sizes.OutputWidth + q) * products.TargetChannels + (r * sizes.KernelWidth + s) * sizes.Inputs;
                    AddVectors(source, products.TargetChannels, sums + Lanes * (q * sizes.Stride + right), Lanes * sizes.Stride, end - q);
                }
        for (int w = 0; w < sizes.Width; w++)
            for (int c = 0; c < sizes.Inputs; c++)
                *target++ = sums[Lanes * w + c];
    }

    private static void AddVectors(float* source, nint sourcePitch, float* target, nint targetPitch, int count)
    {
        for (; count > 0; count--, source += sourcePitch, target += targetPitch)
            (Vector128.Load(target) + Vector128.Load(source)).Store(target);
    }
}
