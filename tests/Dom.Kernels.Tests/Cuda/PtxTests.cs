using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Dom.Kernels.Conformance;
using Dom.Kernels.Cuda;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>What of the compiled kernels can be proven without a GPU and without a compiler.</summary>
public sealed class PtxTests
{
    private static IEnumerable<PtxFile> Files => PtxFile.All;

    private static IEnumerable<string> Modules => KernelSource.Modules;

    [TestCaseSource(nameof(Modules))]
    public void Every_source_has_been_compiled_and_is_embedded(string module)
    {
        Assert.That(Files.Select(f => f.Module), Does.Contain(module), "run kernels/build.sh ptx and commit kernels/ptx");
        Assert.That(Ptx.Load(module, 90), Has.Length.GreaterThan(100));
    }

    [TestCaseSource(nameof(Files))]
    public void Every_PTX_was_made_of_the_sources_that_lie_beside_it(object file)
    {
        var ptx = (PtxFile)file;
        string source = KernelSource.PathOf(ptx.Module);
        Assert.That(source, Does.Exist, $"{ptx} has no source any more; delete it");
        byte[] all = [.. new[] { source }.Concat(KernelSource.Headers).SelectMany(File.ReadAllBytes)];
        Assert.That(ptx.Hash, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(all))), $"{ptx} is stale; run kernels/build.sh ptx and commit kernels/ptx");
    }

    [TestCaseSource(nameof(Files))]
    public void A_kernels_parameters_are_as_long_as_the_structs_that_are_passed_to_it(object file)
    {
        var ptx = (PtxFile)file;
        var declared = KernelSource.Of(ptx.Module).Kernels.ToDictionary(k => k.Name, k => k.Parameters);
        Assert.That(ptx.Entries, Is.Not.Empty);
        Assert.Multiple(() =>
        {
            foreach (var entry in ptx.Entries)
            {
                Assert.That(declared, Does.ContainKey(entry.Name), $"{ptx}: the source declares no such KERNEL");
                var types = declared.GetValueOrDefault(entry.Name, []);
                Assert.That(
                    entry.ParameterBytes.Select((bytes, i) => $"{types.ElementAtOrDefault(i)}: {bytes} bytes"),
                    Is.EqualTo(types.Select(type => $"{type}: {SizeOf(type)} bytes")), $"{entry.Name}: in the PTX, and in C#");
            }
        });
    }

    [TestCaseSource(nameof(Files))]
    public void Every_kernel_in_the_PTX_has_a_name_in_the_backend_and_every_name_a_kernel(object file)
    {
        var ptx = (PtxFile)file;
        var names = KernelNames.All.Where(name => name.Module == ptx.Module).Select(name => name.Kernel).ToArray();
        var compiled = ptx.Entries.Select(entry => WithoutType(entry.Name)).Distinct().ToArray();
        Assert.That(compiled.Except(names), Is.Empty, "compiled, but never launched");
        Assert.That(names.Except(compiled), Is.Empty, "launched, but not compiled");
    }

    /// <summary>All cases of the conformance suite, on a driver that computes nothing and holds each launch against the PTX.</summary>
    [TestCase(80, 128)]
    [TestCase(86, 1)]
    [TestCase(90, 128)]
    [TestCase(90, 1)]
    public void Every_launch_of_the_conformance_suite_is_one_that_a_GPU_can_take(int computeCapability, int fullDevice)
    {
        using var driver = new PtxDriver(computeCapability);
        using var backend = new CudaBackend("launches", driver) { FullDevice = fullDevice, IsOnTrial = true };
        foreach (var kernelCase in KernelCases.All.Where(c => c.Type != DType.F64 && backend.Supports(c.Call, c.Type)))
            Assert.That(() => kernelCase.RunOn(backend), Throws.Nothing, kernelCase.ToString()); // that the results are wrong is no news
        var idle = Files.Where(f => computeCapability == 90 || f.Architecture == "sm_80").SelectMany(f => f.Entries).Select(e => e.Name).Except(driver.Launched).Order(StringComparer.Ordinal).ToArray();
        if (idle.Length > 0)
            TestContext.Out.WriteLine($"no case of the suite launches {string.Join(", ", idle)}");
    }

    private static int SizeOf(string type)
    {
        var found = typeof(IKernelCall).Assembly.GetTypes().Where(t => typeof(IKernelCall).IsAssignableFrom(t))
            .Concat(typeof(CudaBackend).Assembly.GetTypes().Where(t => t.Namespace == typeof(CudaBackend).Namespace))
            .Where(t => t.IsValueType && t.Name == type).ToArray();
        Assert.That(found, Has.Length.EqualTo(1), $"kernel calls and plans named {type}");
        return RuntimeHelpers.SizeOf(found[0].TypeHandle);
    }

    private static string WithoutType(string kernel) => kernel[..kernel.LastIndexOf('_')];
}
