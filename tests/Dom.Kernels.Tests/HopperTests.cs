using Dom.Kernels.Conformance;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests;

/// <summary>Products get larger tiles where there is work for a whole device, and other kernels on compute capability 9.0: all must pass the same cases.</summary>
public sealed class HopperTests
{
    private static readonly Type[] s_products = [typeof(Conv2dForward), typeof(Conv2dInputGradient), typeof(Conv2dWeightGradient), typeof(Gemm)];

    [TestCase(90, 128, DType.BF16, TestName = "Warpgroups pass the cases with the tiles of small problems")]
    [TestCase(90, 3, DType.BF16, TestName = "Warpgroups pass the cases with tiles in between")]
    [TestCase(90, 1, DType.BF16, TestName = "Warpgroups pass the cases with the tiles of large problems")]
    [TestCase(86, 1, DType.BF16, TestName = "Tensor cores of 8.6 pass the cases with less shared memory")]
    [TestCase(90, 128, DType.BF16, true, TestName = "Kernels on trial pass the cases with the tiles of small problems")]
    [TestCase(90, 1, DType.BF16, true, TestName = "Kernels on trial pass the cases with the tiles of large problems")]
    [TestCase(80, 1, DType.BF16, TestName = "Tensor cores of 8.0 pass the cases with the tiles of large problems")]
    [TestCase(80, 1, DType.F32, TestName = "f32 passes the cases with the tiles of large problems")]
    public void Products_pass(int computeCapability, int fullDevice, DType type, bool onTrial = false)
    {
        using var backend = Emulator.Open(computeCapability);
        backend.FullDevice = fullDevice;
        backend.IsOnTrial = onTrial;
        var report = ConformanceReport.Run(backend, KernelCases.All.Where(c => s_products.Contains(c.Call) && c.Type == type), []);
        Assert.That(report.Passed, Is.True, report.ToString());
    }
}
