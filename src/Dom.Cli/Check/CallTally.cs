using System.Globalization;
using Dom.Kernels.Conformance;
using Dom.Tensors;

namespace Dom.Cli.Check;

/// <summary>How the cases of one call and type ended.</summary>
internal sealed class CallTally(string group, DType type)
{
    private double _worst = -1;

    /// <summary>The call, or "gradient".</summary>
    public string Group => group;

    /// <summary>Type of the activations, "f32".</summary>
    public string TypeName => type.ToString().ToLowerInvariant();

    /// <summary>Cases that passed.</summary>
    public int Passed { get; private set; }

    /// <summary>Cases that failed.</summary>
    public int Failed { get; private set; }

    /// <summary>Cases for which the backend has no kernel.</summary>
    public int Skipped { get; private set; }

    /// <summary>Cases so far.</summary>
    public int Count => Passed + Failed + Skipped;

    /// <summary>Normalized error of the case that came closest to its tolerance, or went furthest beyond it.</summary>
    public double Error { get; private set; }

    /// <summary>Tolerance of that case.</summary>
    public double Tolerance { get; private set; }

    /// <summary>Counts a case.</summary>
    public void Add(CaseReport report, double tolerance)
    {
        switch (report.Outcome)
        {
            case Outcome.Passed:
                Passed++;
                break;
            case Outcome.Failed:
                Failed++;
                break;
            default:
                Skipped++;
                return;
        }
        // Tolerances differ within a call (long sums get more), so the fraction tells the worst case and not the error alone.
        double fraction = report.Error == 0 ? 0 : report.Error / tolerance;
        if (fraction > _worst)
            (_worst, Error, Tolerance) = (fraction, report.Error, tolerance);
    }

    /// <summary>The cells of this call's line: call, type, cases, error, tolerance, status.</summary>
    public string[] Cells(string backend) =>
    [
        Group, TypeName, $"{Count}",
        Passed + Failed == 0 ? "" : Error.ToString("0.0E+00", CultureInfo.InvariantCulture),
        Passed + Failed == 0 ? "" : Tolerance.ToString("0.0E+00", CultureInfo.InvariantCulture),
        Failed > 0 ? $"FAILED: {Failed} of {Count}"
            : Skipped == 0 ? "ok"
            : Passed == 0 ? $"skipped: {backend} has no kernel for it"
            : $"ok, {Skipped} skipped: {backend} lacks a kernel that they need",
    ];
}
