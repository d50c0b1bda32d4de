using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Train.Measurement;

/// <summary>What a kernel call has to do at least, whoever does it.</summary>
/// <param name="Call">"Conv2dForward".</param>
/// <param name="Sizes">On what: "f32 64->64 @32 3x3, batch 128". Calls of one name and one size do equal work.</param>
/// <param name="DirectOperations">
/// Multiplications and additions of a convolution or a matrix product, summed as their formula says, without the taps that only meet padding; 0 for other calls.
/// </param>
/// <param name="FewestOperations">
/// The same, but of a 3x3 convolution what Winograd's method needs where that is less: with stride 1 and 16 channels or more a quarter, padding counted (F(4x4, 3x3)); with
/// stride 2 and 64 channels or more 81 of 144 (F(4x4, 2x2) for the pixels of even rows and columns, and less for the others).
/// </param>
/// <param name="Bytes">Every operand once, and twice where it is read and written.</param>
public readonly record struct CallWork(string Call, string Sizes, double DirectOperations, double FewestOperations, double Bytes)
{
    private const int FewestChannelsOfWinograd = 16, FewestChannelsOfStrided = 64;

    /// <summary>What is known of a call from its arguments.</summary>
    public static CallWork Of<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        var layout = KernelCallLayout.Of<TCall>();
        var views = layout.ViewsOf(in call);
        double bytes = views.Sum(view => (double)view.Bytes * (view.Access == Access.ReadWrite ? 2 : 1));
        var largest = views.MaxBy(view => view.Bytes);
        string name = typeof(TCall).Name;
        if (Convolution(in call) is { } sizes)
        {
            double direct = 2.0 * sizes.Batch * sizes.Inputs * sizes.Outputs
                * Taps(sizes.Height, sizes.OutputHeight, sizes.KernelHeight, sizes) * Taps(sizes.Width, sizes.OutputWidth, sizes.KernelWidth, sizes);
            return new CallWork(
                name, $"{NameOf(largest)} {NameOf(sizes)}, batch {sizes.Batch}", direct, Math.Min(direct, sizes.Operations * ShareOfWinograd(sizes)), bytes);
        }
        double operations = OperationsOf(in call);
        string numbers = string.Concat(layout.WholeNumbersOf(in call).Where(n => n.Value != 0).Select(n => $" {n.Name}={n.Value}"));
        return new CallWork(name, $"{largest}{numbers}", operations, operations, bytes);
    }

    /// <summary>Multiplications and additions of a convolution, padding taps counted, or a matrix product; 0 for other calls.</summary>
    public static double OperationsOf<TCall>(in TCall call) where TCall : struct, IKernelCall => call switch
    {
        Gemm c => 2.0 * c.M * c.N * c.K,
        _ => Convolution(in call)?.Operations ?? 0,
    };

    /// <summary>A convolution as the tables call it: "64->128 @32 3x3 /2".</summary>
    public static string NameOf(Conv2dSizes sizes) =>
        $"{sizes.Inputs}->{sizes.Outputs} @{sizes.Width} {sizes.KernelHeight}x{sizes.KernelWidth}{(sizes.Stride > 1 ? $" /{sizes.Stride}" : "")}";

    private static double ShareOfWinograd(Conv2dSizes sizes) => sizes switch
    {
        { KernelHeight: 3, KernelWidth: 3, Stride: 1 } when Math.Min(sizes.Inputs, sizes.Outputs) >= FewestChannelsOfWinograd => 1.0 / 4,
        { KernelHeight: 3, KernelWidth: 3, Stride: 2 } when Math.Min(sizes.Inputs, sizes.Outputs) >= FewestChannelsOfStrided => 81.0 / 144,
        _ => 1,
    };

    private static Conv2dSizes? Convolution<TCall>(in TCall call) where TCall : struct, IKernelCall => call switch
    {
        Conv2dForward c => c.Sizes,
        Conv2dInputGradient c => c.Sizes,
        Conv2dWeightGradient c => c.Sizes,
        _ => null,
    };

    private static string NameOf(View view) => view.Type.ToString().ToLowerInvariant();

    /// <summary>Pairs of an output and a tap, along one axis, that meet the image.</summary>
    private static double Taps(int size, int outputs, int kernel, Conv2dSizes sizes) =>
        Enumerable.Range(0, outputs).Sum(o => Enumerable.Range(0, kernel).Count(k => (uint)(o * sizes.Stride + k - sizes.Padding) < (uint)size));
}
