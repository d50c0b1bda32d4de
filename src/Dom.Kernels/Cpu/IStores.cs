using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>How a kernel writes its result: a type, so that the compiler makes a loop of each way.</summary>
internal interface IStores
{
    static abstract bool Stream { get; }
}

/// <summary>Through the caches, for a result that its reader still finds there.</summary>
internal readonly struct CachedStores : IStores
{
    public static bool Stream
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }
}

/// <summary>Past the caches, for a result that they cannot hold: a line that is overwritten is not read first.</summary>
internal readonly struct StreamingStores : IStores
{
    public static bool Stream
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }
}
