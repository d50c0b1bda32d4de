using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>The rung before on all threads: whoever is free takes the next image.</summary>
/// <remarks>
/// Each image is written by one thread, and every sum is computed in the same order as before: the bits of y do not
/// depend on the number of threads. What one thread still does alone, packing the weights, weighs more with each
/// further thread: Amdahl's law.
/// </remarks>
internal static unsafe class Threaded
{
    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads) =>
        RegisterTiled.Run(sizes, x, weight, y, RegisterTiled.Steps, threads);
}
