using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>What a case found on a backend.</summary>
/// <param name="Passed">Whether all checks held.</param>
/// <param name="Error">Normalized error: the largest difference from the reference over the largest reference value, worst output.</param>
/// <param name="Message">What failed, or "".</param>
public sealed record CaseResult(bool Passed, double Error, string Message);

/// <summary>One kernel call with given sizes and contents, checked on a backend: match, overrun and repeat.</summary>
public abstract class KernelCase
{
    /// <summary>The call, "BatchNorm2dTrain".</summary>
    public abstract Type Call { get; }

    /// <summary>Sizes and variant, "128x64 relu".</summary>
    public required string Label { get; init; }

    /// <summary>Type of the activations.</summary>
    public DType Type { get; init; } = DType.F32;

    /// <summary>Largest allowed normalized error.</summary>
    public required double Tolerance { get; init; }

    /// <summary>Runs the case.</summary>
    /// <remarks>
    /// <i>match</i>: every output differs from the reference in f64 by at most the tolerance times the reference's largest value;
    /// <i>overrun</i>: sentinels around every buffer and all inputs are untouched, every output element is written;
    /// <i>repeat</i>: a second run gives the same bits.
    /// </remarks>
    public abstract CaseResult RunOn(IBackend backend);

    /// <summary>The same case with activations of another type; bf16 is granted a normalized error of 8e-3, two of its roundings.</summary>
    public abstract KernelCase As(DType type);

    /// <inheritdoc/>
    public override string ToString() => $"{Call.Name} {Label} {Type.ToString().ToLowerInvariant()}";
}

/// <summary>A case of the call <typeparamref name="TCall"/>.</summary>
/// <param name="build">Asks for the buffers and makes the call.</param>
public sealed class KernelCase<TCall>(Func<Buffers, TCall> build) : KernelCase where TCall : struct, IKernelCall
{
    /// <inheritdoc/>
    public override Type Call => typeof(TCall);

    /// <inheritdoc/>
    public override CaseResult RunOn(IBackend backend)
    {
        using var reference = new ReferenceBackend();
        using var expected = new Buffers(reference, Type, inDouble: true);
        reference.Run(build(expected));

        using var actual = new Buffers(backend, Type, inDouble: false);
        Run(backend, actual);
        int damaged = actual.FirstDamaged(out string damage);
        if (damaged >= 0)
            return Failure(double.PositiveInfinity, $"overrun: buffer {damaged} {actual.All[damaged].View}: {damage}");

        double worst = 0;
        for (int i = 0; i < actual.All.Count; i++)
        {
            if (actual.All[i].View.Access == Access.Read)
                continue;
            double error = NormalizedError(expected.Contents(i), actual.Contents(i), out int at, out string values);
            if (!(error <= Tolerance))
                return Failure(error, $"match: buffer {i} {actual.All[i].View}, element {at}: {values}; error {error:E2} above {Tolerance:E0}");
            worst = Math.Max(worst, error);
        }

        using var again = new Buffers(backend, Type, inDouble: false);
        Run(backend, again);
        for (int i = 0; i < actual.All.Count; i++)
            if (!actual.RawContents(i).AsSpan().SequenceEqual(again.RawContents(i)))
                return Failure(worst, $"repeat: buffer {i} {actual.All[i].View} has other bits the second time");
        return new CaseResult(true, worst, "");
    }

    /// <inheritdoc/>
    public override KernelCase As(DType type) => new KernelCase<TCall>(build)
    {
        Label = Label, Tolerance = type == DType.BF16 ? Math.Max(Tolerance, 8e-3) : Tolerance, Type = type,
    };

    private void Run(IBackend backend, Buffers buffers)
    {
        var call = build(buffers);
        buffers.ForbidSentinels();
        backend.Run(call);
        backend.Synchronize();
        buffers.AllowSentinels();
    }

    private static double NormalizedError(double[] expected, double[] actual, out int at, out string values)
    {
        double scale = expected.Length == 0 ? 0 : expected.Max(v => double.IsFinite(v) ? Math.Abs(v) : 0);
        double worst = 0;
        at = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            // NaN must meet NaN and an infinity the same infinity; an output that nobody wrote is NaN where a number is expected.
            double difference = expected[i].Equals(actual[i]) ? 0 : Math.Abs(expected[i] - actual[i]);
            double error = double.IsNaN(difference) ? double.PositiveInfinity : difference / Math.Max(scale, 1e-30);
            if (difference == 0 || !(error > worst))
                continue;
            (worst, at) = (error, i);
        }
        values = at < 0 ? "" : $"expected {expected[at]:G9}, got {actual[at]:G9}";
        return worst;
    }

    private CaseResult Failure(double error, string message) => new(false, error, $"{this}: {message}");
}
