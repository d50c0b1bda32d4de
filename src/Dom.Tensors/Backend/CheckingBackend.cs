namespace Dom.Tensors.Backend;

/// <summary>
/// Runs every call a second time, on copies of its memory in another backend, and stops at the first call whose results differ. Slow: for finding
/// out which kernel of a long computation is wrong.
/// </summary>
/// <remarks>
/// The measure is the normalized error: the largest difference over the largest finite value that the other backend computed for the argument.
/// Integers must agree exactly, a NaN must meet a NaN.
/// </remarks>
public sealed class CheckingBackend : DecoratingBackend
{
    private readonly IBackend _reference;
    private readonly double _tolerance;

    /// <summary>A decorator that owns both backends.</summary>
    /// <param name="inner">The backend that is used and checked.</param>
    /// <param name="reference">The backend that is believed.</param>
    /// <param name="tolerance">Largest normalized error of an f32 or f64 argument; at least 8e-3 is granted to bf16, whose rounding is 4e-3.</param>
    public CheckingBackend(IBackend inner, IBackend reference, double tolerance = 1e-4) : base(inner)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentOutOfRangeException.ThrowIfNegative(tolerance);
        (_reference, _tolerance) = (reference, tolerance);
    }

    /// <summary>Runs and checks the call.</summary>
    /// <exception cref="DeviceException">A result differs; the message names the call, its number, the argument and the sizes.</exception>
    public override void Run<TCall>(in TCall call)
    {
        int number = NextCall();
        var layout = KernelCallLayout.Of<TCall>();
        var views = layout.ViewsOf(in call);
        using var copies = new ViewCopies(Inner, _reference, views);
        Inner.Run(in call);
        _reference.Run(layout.WithViews(in call, copies.Views));
        for (int i = 0; i < views.Length; i++)
        {
            if (views[i].IsNone || views[i].Access == Access.Read)
                continue;
            double[] actual = ElementsOf(Inner, views[i]), expected = ElementsOf(_reference, copies.Views[i]);
            var (error, at) = NormalizedError(expected, actual);
            double tolerance = views[i].Type switch
            {
                DType.F32 or DType.F64 => _tolerance,
                DType.BF16 => Math.Max(_tolerance, 8e-3),
                _ => 0,
            };
            if (error > tolerance)
                throw new DeviceException(
                    $"{Name}: call {number}, {typeof(TCall).Name}({layout.Describe(in call)}): {layout.Views[i].Name} differs from {_reference.Name}: " +
                    $"element {at} is {actual[at]:G9} and should be {expected[at]:G9}; normalized error {error:G3}, allowed {tolerance:G3}.");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _reference.Dispose();
    }

    private static (double Error, int At) NormalizedError(double[] expected, double[] actual)
    {
        double scale = 1e-30, worst = 0;
        foreach (double value in expected)
            if (double.IsFinite(value))
                scale = Math.Max(scale, Math.Abs(value));
        int at = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i].Equals(actual[i]))
                continue;
            double error = Math.Abs(expected[i] - actual[i]) / scale;
            error = double.IsNaN(error) ? double.PositiveInfinity : error;
            if (error > worst)
                (worst, at) = (error, i);
        }
        return (worst, at);
    }
}
