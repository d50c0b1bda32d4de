using Dom.Kernels.Conformance;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests;

public sealed class ConformanceReportTests
{
    private static readonly KernelCase[] s_kernelCases =
        KernelCases.All.Where(c => c.Call == typeof(ReluForward) || c.Call == typeof(ReluBackward)).ToArray();

    private static readonly GradientCase[] s_gradientCases = GradientCases.All.Where(c => c.Name == "relu").ToArray();

    [Test]
    public void A_right_backend_passes_and_every_case_is_told_as_it_ends()
    {
        using var backend = new ReferenceBackend();
        var told = new List<CaseReport>();
        var report = ConformanceReport.Run(backend, s_kernelCases, s_gradientCases, told.Add);
        Assert.That(report.Passed, Is.True, report.ToString());
        Assert.That(told, Is.EqualTo(report.Cases));
        Assert.That(report.Groups.Select(g => (g.Group, g.Type)), Is.EquivalentTo(new[]
        {
            ("ReluForward", DType.F32), ("ReluForward", DType.BF16), ("ReluBackward", DType.F32), ("ReluBackward", DType.BF16),
            ("gradient", DType.F32),
        }));
    }

    [Test]
    public void A_kernel_that_is_not_there_is_counted_but_is_no_failure()
    {
        using var backend = new CpuBackend(1);
        var report = ConformanceReport.Run(backend, s_kernelCases, []);
        Assert.That(report.Passed, Is.True, report.ToString());
        Assert.That(report.Groups.Single(g => g is { Group: "ReluForward", Type: DType.BF16 }), Has.Property("Unsupported").EqualTo(7));
        Assert.That(ConformanceReport.Run(backend, s_kernelCases.Where(c => c.Type == DType.BF16), []).Passed, Is.False, "nothing ran");
    }

    [TestCase("wrong", "match: buffer")]
    [TestCase("throws", "InvalidCastException: broken")]
    [TestCase("leaks", "1024 bytes were not given back")]
    [TestCase("before", "bytes before it were overwritten")]
    [TestCase("after", "bytes after it were overwritten")]
    [TestCase("input", "an input was changed")]
    public void A_kernel_that_misbehaves_fails_with_what_it_did(string fault, string message)
    {
        using var backend = new Misbehaving(new ReferenceBackend(), fault);
        var report = ConformanceReport.Run(backend, s_kernelCases.Where(c => c.Type == DType.F32), []);
        Assert.That(report.Passed, Is.False);
        Assert.That(report.Cases.Where(c => c.Group == "ReluForward").Select(c => c.Outcome), Is.All.EqualTo(Outcome.Failed));
        Assert.That(report.Cases.Where(c => c.Group == "ReluBackward").Select(c => c.Outcome), Is.All.EqualTo(Outcome.Passed));
        Assert.That(report.ToString(), Does.Contain(message).And.Contain("failed: ReluForward 33 f32"));
    }

    [Test]
    public void A_wrong_kernel_fails_the_gradient_case_that_uses_it()
    {
        using var backend = new Misbehaving(new ReferenceBackend(), "wrong");
        var residual = GradientCases.All.Where(c => c.Name is "two residuals" or "reshape").ToArray();
        var report = ConformanceReport.Run(backend, [], residual);
        Assert.That(report.Cases.Select(c => (c.Case, c.Outcome)), Is.EquivalentTo(new[]
        {
            ("gradient two residuals", Outcome.Failed), ("gradient reshape", Outcome.Passed),
        }), report.ToString());
    }

    [Test]
    public void The_support_table_has_a_row_for_each_call_and_a_column_for_each_backend_and_type()
    {
        using var reference = new ReferenceBackend();
        using var cpu = new CpuBackend(1);
        string[] lines = SupportTable.Text(reference, cpu).Split(Environment.NewLine);
        Assert.That(lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Is.EqualTo(new[] { "call", "reference f32", "reference bf16", "cpu f32", "cpu bf16" }));
        Assert.That(lines.Skip(1).Take(KernelCases.Calls.Count).Select(l => l.Split(' ')[0]), Is.EqualTo(KernelCases.Calls.Select(c => c.Name)));
        string relu = lines.Single(l => l.StartsWith("ReluForward", StringComparison.Ordinal));
        Assert.That(relu.Split(' ', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(new[] { "ReluForward", "yes", "yes", "yes", "-" }));
    }

    /// <summary>Does one thing wrong after each <see cref="ReluForward"/>.</summary>
    private sealed class Misbehaving(IBackend inner, string fault) : DecoratingBackend(inner)
    {
        public override void Run<TCall>(in TCall call)
        {
            Inner.Run(in call);
            if (call is not ReluForward relu)
                return;
            switch (fault)
            {
                case "wrong": Inner.Run(new Fill(relu.Y, 0.125f)); break;
                case "throws": throw new InvalidCastException("broken");
                case "leaks": Memory.Allocate(1, "leak"); break;
                case "before": Scribble(relu.Y.Address - 1); break;
                case "after": Scribble(relu.Y.Address + (nint)relu.Y.Bytes); break;
                default: Scribble(relu.X.Address); break;
            }
        }

        private void Scribble(nint address) => Inner.CopyFromHost([0x77], new View(address, 1, DType.U8, Access.Write));
    }
}
