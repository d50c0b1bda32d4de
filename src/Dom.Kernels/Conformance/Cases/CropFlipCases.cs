using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class CropFlipCases
{
    public static IEnumerable<KernelCase> All()
    {
        var stream = RandomStream.For(3, RandomPurpose.Test, epoch: 2);
        foreach (var (rows, height, width, channels, padding) in ((int, int, int, int, int)[])
            [(1, 1, 1, 1, 0), (1, 2, 3, 1, 1), (64, 5, 4, 3, 3), (40, 32, 32, 3, 4), (9, 28, 28, 1, 2)])
            foreach (int flip in (int[])[0, 1])
            {
                const int Samples = 23;
                int size = height * width * channels;
                yield return KernelCases.Of<CropFlip>($"{rows} of {height}x{width}x{channels}, padding {padding}{(flip == 1 ? ", flips" : "")}", b => new(
                    b.Bytes(Samples * size), b.Integers(rows, Samples), b.Output(rows * size), stream, rows, height, width, channels, padding, flip), 1e-7);
            }
    }
}
