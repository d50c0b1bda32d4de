using System.Text;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>How a case ended.</summary>
public enum Outcome
{
    /// <summary>All checks held.</summary>
    Passed,

    /// <summary>A check failed, or the kernel threw.</summary>
    Failed,

    /// <summary>The backend has no kernel for the call and type.</summary>
    Unsupported,
}

/// <summary>One case on one backend.</summary>
/// <param name="Group">The call, "Conv2dForward", or "gradient".</param>
/// <param name="Case">The case, "Conv2dForward [2,5,7,3] -> 5, ... f32".</param>
/// <param name="Type">Type of the activations.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Error">Normalized error, 0 where nothing was compared.</param>
/// <param name="Message">What failed or is missing, or "".</param>
public sealed record CaseReport(string Group, string Case, DType Type, Outcome Outcome, double Error, string Message);

/// <summary>All cases of one call and type on one backend.</summary>
/// <param name="Group">The call, or "gradient".</param>
/// <param name="Type">Type of the activations.</param>
/// <param name="Passed">Cases that passed.</param>
/// <param name="Failed">Cases that failed.</param>
/// <param name="Unsupported">Cases for which there is no kernel.</param>
/// <param name="WorstError">Largest normalized error.</param>
public sealed record GroupReport(string Group, DType Type, int Passed, int Failed, int Unsupported, double WorstError);

/// <summary>The whole conformance suite on one backend: kernel cases, then gradient cases.</summary>
public sealed class ConformanceReport
{
    private ConformanceReport(string backend, IReadOnlyList<CaseReport> cases)
    {
        Backend = backend;
        Cases = cases;
        Groups = cases.GroupBy(c => (c.Group, c.Type)).Select(g => new GroupReport(
            g.Key.Group, g.Key.Type, g.Count(c => c.Outcome == Outcome.Passed), g.Count(c => c.Outcome == Outcome.Failed),
            g.Count(c => c.Outcome == Outcome.Unsupported), g.Max(c => c.Error))).ToArray();
    }

    /// <summary>The backend's name.</summary>
    public string Backend { get; }

    /// <summary>Every case, in the order in which they ran.</summary>
    public IReadOnlyList<CaseReport> Cases { get; }

    /// <summary>The cases by call and type.</summary>
    public IReadOnlyList<GroupReport> Groups { get; }

    /// <summary>Whether no case failed and at least one ran. A kernel that is not there is no failure; the table shows it.</summary>
    public bool Passed => Cases.Any(c => c.Outcome == Outcome.Passed) && Cases.All(c => c.Outcome != Outcome.Failed);

    /// <summary>Runs the suite.</summary>
    /// <param name="backend">The backend under test.</param>
    /// <param name="progress">Told of every case as it ends, or null.</param>
    public static ConformanceReport Run(IBackend backend, Action<CaseReport>? progress = null) =>
        Run(backend, KernelCases.All, GradientCases.All, progress);

    /// <summary>Runs some of the cases.</summary>
    public static ConformanceReport Run(
        IBackend backend, IEnumerable<KernelCase> kernelCases, IEnumerable<GradientCase> gradientCases, Action<CaseReport>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        var cases = new List<CaseReport>();
        foreach (var report in kernelCases.Select(c => Run(backend, c)).Concat(gradientCases.Select(c => Run(backend, c))))
        {
            cases.Add(report);
            progress?.Invoke(report);
        }
        return new ConformanceReport(backend.Name, cases);
    }

    /// <summary>One line for each call and type, then what failed.</summary>
    public override string ToString()
    {
        int width = Groups.Select(g => g.Group.Length).Append(4).Max();
        var text = new StringBuilder();
        text.AppendLine($"{"call".PadRight(width)}  type  {"passed",6}  {"failed",6}  {"no kernel",9}  worst error");
        foreach (var g in Groups)
        {
            string type = g.Type.ToString().ToLowerInvariant();
            text.AppendLine($"{g.Group.PadRight(width)}  {type,-4}  {g.Passed,6}  {g.Failed,6}  {g.Unsupported,9}  {g.WorstError:0.0E+0}");
        }
        foreach (var failure in Cases.Where(c => c.Outcome == Outcome.Failed))
            text.AppendLine($"failed: {failure.Message}");
        return text.ToString();
    }

    private static CaseReport Run(IBackend backend, KernelCase kernelCase)
    {
        CaseReport Report(Outcome outcome, CaseResult result) =>
            new(kernelCase.Call.Name, kernelCase.ToString(), kernelCase.Type, outcome, result.Error, result.Message);
        if (!backend.Supports(kernelCase.Call, kernelCase.Type))
            return Report(Outcome.Unsupported, new CaseResult(false, 0, $"{backend.Name} has no kernel for {kernelCase}."));
        var result = Guarded(backend, kernelCase.ToString(), () => kernelCase.RunOn(backend));
        return Report(result.Passed ? Outcome.Passed : Outcome.Failed, result);
    }

    private static CaseReport Run(IBackend backend, GradientCase gradientCase)
    {
        CaseReport Report(Outcome outcome, CaseResult result) =>
            new("gradient", gradientCase.ToString(), DType.F32, outcome, result.Error, result.Message);
        var missing = gradientCase.MissingOn(backend);
        if (missing.Count > 0)
        {
            string names = string.Join(", ", missing.Select(t => t.Name));
            return Report(Outcome.Unsupported, new CaseResult(false, 0, $"{backend.Name} has no kernel for {names}."));
        }
        var result = Guarded(backend, gradientCase.ToString(), () =>
        {
            // The reference is what all others are compared with; it has to answer to mathematics itself.
            if (backend is ReferenceBackend && gradientCase.Check() is { Passed: false } check)
                return new CaseResult(false, check.WorstError, $"{gradientCase}: {check.Message}");
            return gradientCase.RunOn(backend);
        });
        return Report(result.Passed ? Outcome.Passed : Outcome.Failed, result);
    }

    /// <summary>A kernel that throws or that leaks is a failure of its case, not of the run.</summary>
    private static CaseResult Guarded(IBackend backend, string name, Func<CaseResult> run)
    {
        long before = backend.Memory.LiveBytes;
        try
        {
            var result = run();
            long leaked = backend.Memory.LiveBytes - before;
            return result.Passed && leaked != 0 ? new CaseResult(false, result.Error, $"{name}: {leaked} bytes were not given back") : result;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new CaseResult(false, double.PositiveInfinity, $"{name}: {e.GetType().Name}: {e.Message}");
        }
    }
}
