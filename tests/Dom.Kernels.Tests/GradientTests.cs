using Dom.Kernels.Conformance;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class GradientTests(string device)
{
    private IBackend _backend = null!;

    private static IEnumerable<GradientCase> Cases => GradientCases.All;

    [OneTimeSetUp]
    public void Open() => _backend = device == "cpu" ? new CpuBackend(2) : new ReferenceBackend();

    [OneTimeTearDown]
    public void Close() => _backend.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Gradients_equal_finite_differences_on_the_reference_and_those_of_the_reference_elsewhere(GradientCase gradientCase)
    {
        var missing = gradientCase.MissingOn(_backend);
        if (missing.Count > 0)
            Assert.Ignore($"{device} has no kernel for {string.Join(", ", missing.Select(t => t.Name))}.");
        var report = ConformanceReport.Run(_backend, [], [gradientCase]);
        Assert.That(report.Passed, Is.True, report.ToString());
    }
}
