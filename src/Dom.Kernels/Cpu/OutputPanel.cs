using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Copies a block of output channels of successive pixels to places a pitch apart, channels padded with zeros to whole
/// vectors.
/// </summary>
internal static unsafe class OutputPanel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* dy, TileShape shape, int block, int outputs, int pixels, float* target, nint pitch)
    {
        int channel = block * shape.Width, width = shape.WidthOf(block, outputs);
        int channels = Math.Min(width, outputs - channel);
        dy += channel;
        for (; pixels > 0; pixels--, dy += outputs, target += pitch)
        {
            int k = 0;
            for (; k + 16 <= channels; k += 16)
                Vector512.Load(dy + k).Store(target + k);
            for (; k + 4 <= channels; k += 4)
                Vector128.Load(dy + k).Store(target + k);
            for (; k < channels; k++)
                target[k] = dy[k];
            for (; k < width; k++)
                target[k] = 0;
        }
    }
}
