using Dom.Kernels.Conformance;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests;

/// <summary>Calls that get other kernels on compute capability 9.0.</summary>
public sealed class HopperTests
{
    private static readonly Type[] s_calls = [typeof(Conv2dForward), typeof(Conv2dInputGradient), typeof(Conv2dWeightGradient)];

    [Test]
    public void Convolutions_by_warpgroups_pass_the_same_cases([Values(0, 1, 2)] int call)
    {
        using var backend = Emulator.Open(computeCapability: 90);
        var report = ConformanceReport.Run(backend, KernelCases.All.Where(c => c.Call == s_calls[call] && c.Type == DType.BF16), []);
        Assert.That(report.Passed, Is.True, report.ToString());
    }
}
