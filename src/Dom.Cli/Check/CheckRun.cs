using Dom.Kernels.Conformance;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Cli.Check;

/// <summary>Runs the conformance suite on a backend and says, call by call, how it went.</summary>
/// <param name="plan">The cases.</param>
/// <param name="output">Gets the lines.</param>
/// <param name="live">Shows which case is running.</param>
internal sealed class CheckRun(CheckPlan plan, TextWriter output, LiveLine live)
{
    private readonly Dictionary<(string, DType), CallTally> _tallies = [];
    private int _done;

    /// <summary>Runs all cases.</summary>
    /// <param name="backend">The backend under test.</param>
    /// <param name="asJson">One line of JSON at the end in place of the lines for a person.</param>
    /// <returns>Whether none failed.</returns>
    public bool Run(IBackend backend, bool asJson)
    {
        int width = plan.Totals.Keys.Max(key => key.Group.Length);
        if (!asJson)
            output.WriteLine(Line(width, "call", "type", "cases", "error", "tolerance", "status"));
        var report = ConformanceReport.Run(backend, plan.KernelCases, plan.GradientCases, caseReport =>
        {
            var tally = Count(caseReport);
            live.Show($"{++_done}/{plan.Count}  {caseReport.Case}");
            if (asJson || tally.Count < plan.Totals[(caseReport.Group, caseReport.Type)])
                return;
            live.Clear();
            output.WriteLine(Line(width, tally.Cells(backend.Name)));
        });
        live.Clear();
        var failures = report.Cases.Where(c => c.Outcome == Outcome.Failed).ToArray();
        output.WriteLine(asJson ? ToJson(backend, report) : ToText(backend, report, failures));
        return failures.Length == 0;
    }

    private CallTally Count(CaseReport report)
    {
        var key = (report.Group, report.Type);
        if (!_tallies.TryGetValue(key, out var tally))
            _tallies[key] = tally = new CallTally(report.Group, report.Type);
        tally.Add(report, plan.ToleranceOf(report));
        return tally;
    }

    private static string ToText(IBackend backend, ConformanceReport report, CaseReport[] failures)
    {
        using var reference = new ReferenceBackend();
        IBackend[] backends = backend is ReferenceBackend ? [reference] : [backend, reference];
        string failed = string.Concat(failures.Select(failure => $"failed: {failure.Message}\n"));
        int passed = report.Cases.Count(c => c.Outcome == Outcome.Passed), skipped = report.Cases.Count - passed - failures.Length;
        return $"\n{failed}{(failed.Length > 0 ? "\n" : "")}{SupportTable.Text(backends).ReplaceLineEndings("\n")}\n"
            + $"{passed} passed, {failures.Length} failed{(skipped > 0 ? $", {skipped} skipped" : "")}";
    }

    private string ToJson(IBackend backend, ConformanceReport report) => JsonLine.Of(new Dictionary<string, object>
    {
        ["device"] = backend.Name,
        ["passed"] = report.Cases.Count(c => c.Outcome == Outcome.Passed),
        ["failed"] = report.Cases.Count(c => c.Outcome == Outcome.Failed),
        ["skipped"] = report.Cases.Count(c => c.Outcome == Outcome.Unsupported),
        ["calls"] = _tallies.Values.Select(tally => new Dictionary<string, object>
        {
            ["call"] = tally.Group, ["type"] = tally.TypeName, ["passed"] = tally.Passed, ["failed"] = tally.Failed,
            ["skipped"] = tally.Skipped, ["error"] = tally.Error, ["tolerance"] = tally.Tolerance,
        }).ToArray(),
        ["failures"] = report.Cases.Where(c => c.Outcome == Outcome.Failed).Select(c => c.Message).ToArray(),
        ["skips"] = report.Cases.Where(c => c.Outcome == Outcome.Unsupported).Select(c => c.Message).ToArray(),
    });

    private static string Line(int width, params string[] cells) =>
        $"{cells[0].PadRight(width)}  {cells[1],-4}  {cells[2],5}  {cells[3],7}  {cells[4],9}  {cells[5]}";
}
