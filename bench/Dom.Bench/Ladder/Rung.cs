using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// A convolution y [N, H, W, K] = x [N, H, W, C] * weight [K, 3, 3, C], stride 1, padding 1. C is a multiple of 16, K
/// of 64, H and W of 8: what it takes to lift these limits is in src/Dom.Kernels/Cpu, and would hide here what matters.
/// </summary>
internal unsafe delegate void Convolution(Conv2dSizes sizes, float* x, float* weight, float* y, int threads);

/// <summary>One way to compute the convolution.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Before">The rung from which one step leads here; empty at the bottom.</param>
/// <param name="UsesThreads">Whether it runs on all threads that it is given, or on one.</param>
/// <param name="Tolerance">The largest error allowed, relative to the largest value of y.</param>
/// <param name="Run">The code.</param>
internal sealed record Rung(string Name, string Before, bool UsesThreads, double Tolerance, Convolution Run)
{
    /// <summary>What rounding 9 C products to 24 bits may do to their sum.</summary>
    public const double DirectTolerance = 3e-6;

    /// <summary>Winograd's matrices multiply and add before and after the sum, which costs a digit.</summary>
    public const double WinogradTolerance = 2e-5;

    /// <summary>The ladder, from the bottom; side steps, which lead nowhere and say why, in brackets.</summary>
    public static unsafe IReadOnlyList<Rung> All { get; } =
    [
        new("naive", "", false, DirectTolerance, Naive.Run),
        new("reordered", "naive", false, DirectTolerance, Reordered<ScalarSums>.Run),
        new("(reordered, cache blocks)", "reordered", false, DirectTolerance, CacheBlocked<ScalarSums>.Run),
        new("vectors", "reordered", false, DirectTolerance, Reordered<VectorSums>.Run),
        new("(vectors, cache blocks)", "vectors", false, DirectTolerance, CacheBlocked<VectorSums>.Run),
        new("register tile", "vectors", false, DirectTolerance, RegisterTiled.Run),
        new("(register tile, no blocks)", "register tile", false, DirectTolerance, RegisterTiled.RunWithoutBlocks),
        new("threads", "register tile", true, DirectTolerance, Threaded.Run),
        new("Winograd F(4x4, 3x3)", "threads", true, WinogradTolerance, WinogradTiled.Run),
    ];
}
