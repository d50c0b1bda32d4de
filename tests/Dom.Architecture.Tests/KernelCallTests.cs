using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Dom.Kernels.Conformance;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;

namespace Dom.Architecture.Tests;

public sealed partial class KernelCallTests
{
    /// <summary>Operators of a few lines each that share one file of kernels.</summary>
    private static readonly Dictionary<string, string> s_sharedFiles = new() { ["Fill"] = "Elementwise", ["Add"] = "Elementwise", ["Relu"] = "Elementwise" };

    private static IEnumerable<Type> Calls => KernelCases.Calls;

    private static IEnumerable<string> OperatorsWithCalls => Repository.Sources("src", "Dom.Tensors", "Ops")
        .Where(f => CallDeclaration().IsMatch(File.ReadAllText(f))).Select(f => Path.GetFileNameWithoutExtension(f));

    [TestCaseSource(nameof(Calls))]
    public void A_call_is_a_readonly_record_struct(Type call)
    {
        Assert.That(call.GetCustomAttribute<IsReadOnlyAttribute>(), Is.Not.Null, "readonly");
        Assert.That(call.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic), Is.Not.Null, "record");
    }

    [TestCaseSource(nameof(Calls))]
    public void A_call_is_a_block_of_views_and_then_numbers_in_the_order_of_its_declaration(Type call)
    {
        var layout = LayoutOf(call);
        var fields = layout.Views.Concat(layout.Scalars).ToArray();
        Assert.That(call.IsLayoutSequential, Is.True);
        Assert.That(fields, Is.Not.Empty);
        Assert.That(layout.Views.Select(v => (int)v.Offset), Is.EqualTo(Enumerable.Range(0, layout.Views.Count).Select(i => 16 * i)), "views first");
        Assert.That(fields.Select(f => (long)f.Offset), Is.Ordered);
        foreach (var number in layout.Scalars)
            Assert.That(number.Offset % (number.Type == typeof(int) || number.Type == typeof(uint) || number.Type == typeof(float) ? 4 : 8), Is.EqualTo((nint)0));
    }

    [TestCaseSource(nameof(Calls))]
    public void A_call_has_a_kernel_in_the_reference(Type call) =>
        Assert.That(typeof(IKernel<>).MakeGenericType(call).IsAssignableFrom(typeof(ReferenceBackend)), Is.True);

    [TestCaseSource(nameof(OperatorsWithCalls))]
    public void An_operators_kernels_are_in_a_file_of_its_name(string operatorName)
    {
        string name = s_sharedFiles.GetValueOrDefault(operatorName, operatorName);
        Assert.That(Path.Combine(Repository.Root, "src", "Dom.Kernels", "Reference", $"{name}.cs"), Does.Exist);
    }

    [Test]
    public void Kernels_are_reached_through_the_contract_only()
    {
        var offenders = new[] { "Dom.Nn", "Dom.Train" }.SelectMany(p => Repository.Sources("src", p))
            .Where(f => File.ReadAllText(f).Contains("Dom.Kernels", StringComparison.Ordinal));
        Assert.That(offenders, Is.Empty);
    }

    private static KernelCallLayout LayoutOf(Type call) => (KernelCallLayout)typeof(KernelCallLayout)
        .GetMethod(nameof(KernelCallLayout.Of))!.MakeGenericMethod(call).Invoke(null, null)!;

    [GeneratedRegex(@"\)\s*:\s*IKernelCall\b")]
    private static partial Regex CallDeclaration();
}
