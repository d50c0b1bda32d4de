using System.Runtime.InteropServices;

namespace Dom.Bench.Ladder;

/// <summary>
/// Floats outside the garbage collector's heap, at an address that is a multiple of a cache line, with undefined
/// contents.
/// </summary>
internal sealed unsafe class Buffer(int count) : IDisposable
{
    public float* Floats { get; } = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);

    public void Dispose() => NativeMemory.AlignedFree(Floats);
}
