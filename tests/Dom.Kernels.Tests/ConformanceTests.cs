using Dom.Kernels.Conformance;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests;

[TestFixture("reference")]
[TestFixture("cpu")]
[TestFixture("emulated")]
public sealed class ConformanceTests(string device)
{
    private IBackend _backend = null!;

    private static IEnumerable<KernelCase> Cases => KernelCases.F32;

    private static IEnumerable<Type> Calls => KernelCases.Calls;

    [OneTimeSetUp]
    public void Open() => _backend = device switch
    {
        "cpu" => new CpuBackend(2),
        "emulated" => Emulator.Open(),
        _ => new ReferenceBackend(),
    };

    [OneTimeTearDown]
    public void Close() => _backend?.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Every_call_matches_the_reference_stays_inside_its_buffers_and_repeats_its_bits(KernelCase kernelCase)
    {
        if (!_backend.Supports(kernelCase.Call, kernelCase.Type))
            Assert.Ignore($"{device} has no kernel for {kernelCase}.");
        var result = kernelCase.RunOn(_backend);
        Assert.That(result.Passed, Is.True, result.Message);
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, "the case must give its memory back");
    }

    [TestCaseSource(nameof(Calls))]
    public void Every_call_passes_the_same_cases_with_activations_of_bf16(Type call)
    {
        if (!_backend.Supports(call, DType.BF16))
            Assert.Ignore($"{device} has no kernel for {call.Name} in bf16.");
        var cases = KernelCases.All.Where(c => c.Call == call && c.Type == DType.BF16);
        var report = ConformanceReport.Run(_backend, cases, []);
        Assert.That(report.Passed, Is.True, report.ToString());
    }

    [Test]
    public void Every_call_of_the_contract_has_a_kernel_on_this_backend() =>
        Assert.That(KernelCases.Calls.Where(call => !_backend.Supports(call, DType.F32)), Is.Empty);

    [Test]
    public void Every_call_of_the_contract_has_a_case() =>
        Assert.That(KernelCases.Calls.Except(KernelCases.All.Select(c => c.Call)), Is.Empty);
}
