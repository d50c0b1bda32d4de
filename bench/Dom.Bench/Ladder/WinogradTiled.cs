using System.Runtime.CompilerServices;
using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// Fewer products. A tile of 4x4 outputs of all channels is A^T [sum over c of (G g G^T) * (B^T d B)] A: 36 products
/// for each pair of channels instead of 144. Since they are summed over c, they are 36 small matrix products, for which
/// <see cref="Tile"/> serves as it is.
/// </summary>
/// <remarks>
/// The price: additions, and passes over memory. The 36 planes of an image's tiles should stay in the second-level
/// cache. The planes of the weights are 4 times as large as the weights (2.3 MiB for 128 channels) and come from the
/// third level for every image.
/// </remarks>
internal static unsafe class WinogradTiled
{
    private const int Side = 4, Window = 6, Points = Window * Window, Lanes = 16;

    /// <summary>Distances in floats between the 36 planes, one for each point, and the tiles of an image.</summary>
    private readonly record struct Planes(int Tiles, int Columns, int Inputs, int Outputs, int Weights)
    {
        // A gap of 16 floats: a power of two apart, the 36 stores of a transform would share a few sets of the cache.
        public static Planes Of(Conv2dSizes sizes)
        {
            int columns = sizes.Width / Side, tiles = sizes.Height / Side * columns;
            return new Planes(
                tiles, columns, tiles * sizes.Inputs + Lanes, tiles * sizes.Outputs + Lanes,
                sizes.Inputs * sizes.Outputs + Lanes);
        }
    }

    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        var planes = Planes.Of(sizes);
        using var operands = new Operands(sizes, x, weight, Tile.Columns);
        using var weights = new Buffer(Points * planes.Weights);
        Tickets channels = new(sizes.Inputs), images = new(sizes.Batch);
        Tickets.OnThreads(threads, () =>
        {
            while (channels.Take(out int c))
                TransformWeights(sizes, planes, operands.Panels, c, weights.Floats);
        });
        Tickets.OnThreads(threads, () =>
        {
            using var bordered = operands.NewImage();
            using Buffer inputs = new(Points * planes.Inputs), products = new(Points * planes.Outputs);
            while (images.Take(out int n))
            {
                TransformInput(sizes, planes, operands.AddBorder(n, bordered), inputs.Floats);
                Multiply(sizes, planes, inputs.Floats, weights.Floats, products.Floats);
                TransformOutput(sizes, planes, products.Floats, y + n * operands.OutputImage);
            }
        });
    }

    /// <summary>G g G^T of input channel c and all outputs: from panels of 3x3 taps into panels of 36 points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformWeights(Conv2dSizes sizes, Planes planes, float* panels, int c, float* weights)
    {
        float* half = stackalloc float[Window * 3 * Lanes];
        int pitch = planes.Weights;
        int tap = sizes.Inputs * Tile.Columns;
        for (int k = 0; k < sizes.Outputs; k += Lanes)
        {
            int panel = k / Tile.Columns, inPanel = c * Tile.Columns + k % Tile.Columns;
            float* from = panels + panel * 9 * tap + inPanel, to = weights + panel * tap + inPanel;
            for (int s = 0; s < 3; s++) // columns first, rows after
                WinogradTransforms.Weights(from + s * tap, 3 * tap, half + s * Lanes, 3 * Lanes);
            for (int i = 0; i < Window; i++)
                WinogradTransforms.Weights(half + i * 3 * Lanes, Lanes, to + i * Window * pitch, pitch);
        }
    }

    /// <summary>B^T d B of every window of 6x6 pixels; windows overlap by 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInput(Conv2dSizes sizes, Planes planes, float* x, float* inputs)
    {
        float* half = stackalloc float[Points * Lanes];
        int channels = sizes.Inputs, rowPitch = (sizes.Width + 2) * channels, pitch = planes.Inputs;
        for (int tile = 0; tile < planes.Tiles; tile++)
            for (int c = 0; c < channels; c += Lanes)
            {
                int row = tile / planes.Columns * Side, column = tile % planes.Columns * Side;
                float* from = x + row * rowPitch + column * channels + c, to = inputs + tile * channels + c;
                for (int j = 0; j < Window; j++)
                    WinogradTransforms.Input(from + j * channels, rowPitch, half + j * Lanes, Window * Lanes);
                for (int i = 0; i < Window; i++)
                    WinogradTransforms.Input(half + i * Window * Lanes, Lanes, to + i * Window * pitch, pitch);
            }
    }

    private static void Multiply(Conv2dSizes sizes, Planes planes, float* inputs, float* weights, float* products)
    {
        for (int point = 0; point < Points; point++)
        {
            for (int k = 0; k < sizes.Outputs; k += Tile.Columns)
                for (int tile = 0; tile < planes.Tiles; tile += Tile.Rows)
                    Tile.Multiply(
                        inputs + tile * sizes.Inputs, sizes.Inputs, weights + k * sizes.Inputs, sizes.Inputs,
                        products + tile * sizes.Outputs + k, sizes.Outputs, adds: false);
            inputs += planes.Inputs;
            weights += planes.Weights;
            products += planes.Outputs;
        }
    }

    /// <summary>A^T m A, straight into y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutput(Conv2dSizes sizes, Planes planes, float* products, float* y)
    {
        float* half = stackalloc float[Side * Window * Lanes];
        int outputs = sizes.Outputs, rowPitch = sizes.Width * outputs, pitch = planes.Outputs;
        for (int tile = 0; tile < planes.Tiles; tile++)
            for (int k = 0; k < outputs; k += Lanes)
            {
                int row = tile / planes.Columns * Side, column = tile % planes.Columns * Side;
                float* from = products + tile * outputs + k, to = y + row * rowPitch + column * outputs + k;
                for (int j = 0; j < Window; j++)
                    WinogradTransforms.Output(from + j * pitch, Window * pitch, half + j * Lanes, Window * Lanes);
                for (int i = 0; i < Side; i++)
                    WinogradTransforms.Output(half + i * Window * Lanes, Lanes, to + i * rowPitch, outputs);
            }
    }
}
