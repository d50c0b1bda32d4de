using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Fetches what the next run of pixels will read, a few pixels at a time between tiles: memory then works while the
/// processor computes. The pixels of a strided convolution are too far apart for the processor to foresee.
/// </summary>
internal unsafe struct Conv2dPixelFetch(int channels, int outputs)
{
    private const int LineFloats = 16;

    private WindowRun _run;
    private float* _x, _dy;
    private nint _dyPitch;
    private int _column, _pixels, _pixelsAtOnce;

    /// <summary>Begins with a run's pixels, which so many calls of <see cref="Step"/> are to share.</summary>
    public void Begin(in WindowRun run, float* dy, nint dyPitch, int steps)
    {
        _run = run;
        _x = run.X;
        _dy = dy;
        _dyPitch = dyPitch;
        _column = 0;
        _pixels = Sse.IsSupported ? run.Rows * run.PixelsPerRow : 0;
        _pixelsAtOnce = (_pixels + steps - 1) / steps;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Step()
    {
        for (int count = Math.Min(_pixels, _pixelsAtOnce); count > 0; count--, _pixels--, _dy += _dyPitch)
        {
            Fetch(_x, channels);
            Fetch(_dy, outputs);
            _x += _run.PixelPitch;
            if (++_column < _run.PixelsPerRow)
                continue;
            _column = 0;
            _run.X += _run.RowPitch;
            _x = _run.X;
        }
    }

    private static void Fetch(float* source, int floats)
    {
        for (int i = 0; i < floats; i += LineFloats)
            Sse.Prefetch1(source + i);
    }
}
