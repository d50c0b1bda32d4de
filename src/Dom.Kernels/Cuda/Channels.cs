using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

// Launches of the kernels that walk over the rows of a matrix channel by channel: the host's side of kernels/channels.h.
public sealed partial class CudaBackend
{
    private const int OneOperandThreads = 512, TwoOperandThreads = 384;

    /// <summary>
    /// Blocks of a launch, at most: two on each of the 132 multiprocessors of an H100. A constant, because the runs of rows are the order of the sums: every device
    /// adds alike.
    /// </summary>
    private const int ChannelBlocks = 264;

    /// <summary>Rows of a thread, at least, before the rows are cut into more runs: a shorter run saves less than its pair of sums costs.</summary>
    private const int LeastRowsPerThread = 4;

    /// <summary>Widest tile, in columns: 512 bytes of a row.</summary>
    private const int WidestTile = 32;

    /// <summary>How the channels and rows of a matrix are shared out to threads.</summary>
    /// <param name="type">Type of the activations.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="channels">Elements of a row.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sums">Whether the kernel adds over rows.</param>
    /// <param name="views">What the kernel moves 16 bytes at a time, if it can.</param>
    private ChannelLaunch ShareChannels(DType type, int rows, int channels, int threads, bool sums, params ReadOnlySpan<View> views)
    {
        int packed = 16 / type.Size(), perColumn = channels % packed == 0 && AreAligned(views) ? packed : 1;
        int columns = channels / perColumn, width = TileWidth(columns, threads), tiles = (columns + width - 1) / width, lanes = threads / width;
        int runs = Math.Clamp(ChannelBlocks / tiles, 1, (rows + LeastRowsPerThread * lanes - 1) / (LeastRowsPerThread * lanes));
        const int PairOfSums = 2 * sizeof(float);
        nint partials = sums ? Scratch((long)tiles * runs * width * perColumn * PairOfSums) : 0, arrivals = sums ? Counters(tiles) : 0;
        return new ChannelLaunch(new ChannelPlan(partials, arrivals, width, lanes), new Dim3(runs, tiles), threads, perColumn > 1);
    }

    private void Launch<TCall>(ChannelKernel kernel, DType type, in ChannelLaunch launch, in TCall call) where TCall : struct, IKernelCall =>
        Launch(launch.IsPacked ? kernel.Packed : kernel.Scalar, type, launch.Grid, call, launch.Plan, launch.Threads);

    /// <summary>Columns of a tile: the width that leaves the fewest threads without a column.</summary>
    private static int TileWidth(int columns, int threads)
    {
        if (columns <= WidestTile)
            return columns;
        int best = WidestTile;
        double mostBusy = 0;
        for (int width = WidestTile; width >= 8; width--)
        {
            int padded = (columns + width - 1) / width * width;
            double busy = (double)columns / padded * (threads / width * width) / threads;
            if (busy > mostBusy)
                (best, mostBusy) = (width, busy);
        }
        return best;
    }

    private static bool AreAligned(ReadOnlySpan<View> views)
    {
        foreach (var view in views)
            if (view.Address % 16 != 0)
                return false;
        return true;
    }

    /// <summary>The struct of the same name in kernels/channels.h.</summary>
    private readonly record struct ChannelPlan(nint Partials, nint Arrivals, int Width, int Lanes);

    private readonly record struct ChannelLaunch(ChannelPlan Plan, Dim3 Grid, int Threads, bool IsPacked);

    /// <summary>A kernel that exists for rows of whole, aligned packs of 16 bytes and for all others.</summary>
    private sealed class ChannelKernel(string module, string kernel)
    {
        public KernelName Packed { get; } = new(module, kernel);

        public KernelName Scalar { get; } = new(module, kernel + "_scalar");
    }
}
