using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Kernels.Cpu;

/// <summary>Runs of floats of an image that stay zero: pixels that no tap reaches. Depends on sizes alone.</summary>
internal sealed unsafe class ZeroRuns
{
    private const nuint LineBytes = 64;
    private const int LineFloats = 16;

    private readonly List<(int Start, int Floats)> _runs = [];

    /// <summary>Runs of an image.</summary>
    public int Count => _runs.Count;

    /// <summary>Adds the pixel after all that were added before; neighbors become one run.</summary>
    public void Add(int pixel, int channels)
    {
        if (_runs.Count > 0 && _runs[^1].Start + _runs[^1].Floats == pixel * channels)
            _runs[^1] = (_runs[^1].Start, _runs[^1].Floats + channels);
        else
            _runs.Add((pixel * channels, channels));
    }

    /// <summary>Clears part <paramref name="part"/> of <paramref name="parts"/> of the runs of an image.</summary>
    /// <param name="image">Its first float.</param>
    /// <param name="part">0 .. parts - 1.</param>
    /// <param name="parts">Into how many parts the runs are cut.</param>
    /// <param name="stream">Whether to write past the caches where lines are whole.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Clear(float* image, int part, int parts, bool stream)
    {
        int first = (int)((long)_runs.Count * part / parts), end = (int)((long)_runs.Count * (part + 1) / parts);
        for (int run = first; run < end; run++)
        {
            var (start, floats) = _runs[run];
            float* target = image + start;
            if (!stream || floats % LineFloats != 0 || (nuint)target % LineBytes != 0)
                new Span<float>(target, floats).Clear();
            else
                for (int i = 0; i < floats; i += LineFloats)
                    Vector512<float>.Zero.StoreAlignedNonTemporal(target + i);
        }
    }
}
