using System.Text.Json;
using System.Text.RegularExpressions;
using Dom.Kernels.Conformance;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;
using Dom.Tensors.Ops;

namespace Dom.Cli.Tests;

public sealed partial class CheckCommandTests
{
    [Test]
    public void The_whole_suite_passes_on_the_cpu_and_every_case_is_counted()
    {
        var run = Invocation.Run("check", "--device", "cpu", "--threads", "2");
        var last = LastLine().Match(run.Lines[^1]);
        Assert.That(last.Success, Is.True, run.Lines[^1]);
        int passed = int.Parse(last.Groups["passed"].Value), skipped = last.Groups["skipped"].Success ? int.Parse(last.Groups["skipped"].Value) : 0;
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Output);
            Assert.That(passed + skipped, Is.EqualTo(KernelCases.All.Count() + GradientCases.All.Count));
            Assert.That(passed, Is.GreaterThanOrEqualTo(KernelCases.F32.Count()));
            foreach (var call in KernelCases.Calls)
                Assert.That(run.Output, Does.Match($@"(?m)^{call.Name} +f32 +\d+ +\S+ +\S+  ok$").And.Match($@"(?m)^{call.Name} +yes "));
            Assert.That(run.Output, Does.Contain("cpu f32  cpu bf16  reference f32  reference bf16"));
        });
    }

    [Test]
    public void Only_the_cases_of_the_filter_run()
    {
        var run = Invocation.Run("check", "--device", "reference", "--filter", "sgdstep", "--json");
        var json = JsonDocument.Parse(run.Output).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(json.GetProperty("calls").EnumerateArray().Select(c => c.GetProperty("call").GetString()), Is.All.EqualTo("SgdStep"));
            Assert.That(json.GetProperty("passed").GetInt32(), Is.EqualTo(KernelCases.All.Count(c => c.Call.Name == "SgdStep")));
            Assert.That(json.GetProperty("failed").GetInt32(), Is.Zero);
        });
    }

    [Test]
    public void Gradients_alone_can_be_asked_for()
    {
        var run = Invocation.Run("check", "--device", "reference", "--filter", "gradient relu");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Match(@"(?m)^gradient +f32 +1 +\S+ +\S+  ok$"));
    }

    [Test]
    public void A_filter_that_matches_nothing_is_wrong_usage_and_brings_the_nearest_call()
    {
        var run = Invocation.Run("check", "--filter", "Conv2dForwrad");
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error.TrimEnd(), Does.EndWith("did you mean 'Conv2dForward'?"));
    }

    [TestCase("cqu", 2, "did you mean 'cpu'?")]
    [TestCase("cuda:x", 2, "cuda:0")]
    [TestCase("cuda:77", 1, "cuda:77")]
    [TestCase("emulated:no-such-file.so", 1, "kernels/build.sh emulator")]
    public void A_device_that_is_not_there_ends_the_command_with_a_line(string device, int code, string message)
    {
        var run = Invocation.Run("check", "--device", device);
        Assert.That((run.Code, run.Output), Is.EqualTo((code, "")));
        Assert.That(run.Error.TrimEnd(), Does.Contain(message).And.Not.Contain("\n"));
    }

    [Test]
    public async Task A_kernel_that_is_wrong_fails_the_command_and_is_named_with_its_error()
    {
        var run = await Invocation.RunAsync(CheckCommand.Create((_, _, _, _) => new WrongRelu()), CancellationToken.None, "--filter", "relu");
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.EqualTo(1));
            Assert.That(run.Output, Does.Match(@"(?m)^ReluForward +f32 .*  FAILED: \d+ of \d+$"));
            Assert.That(run.Output, Does.Match(@"(?m)^failed: ReluForward .*match: "));
            Assert.That(run.Output, Does.Match(@"(?m)^ReluBackward +f32 .*  ok$"));
            Assert.That(run.Lines[^1], Does.Match(@"^\d+ passed, [1-9]\d* failed, \d+ skipped$"));
        });
    }

    [Test]
    public async Task A_kernel_that_is_not_there_is_skipped_with_the_reason_and_counted()
    {
        var run = await Invocation.RunAsync(CheckCommand.Create((_, _, _, _) => new WrongRelu()), CancellationToken.None, "--filter", "SgdStep");
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero);
            Assert.That(run.Output, Does.Match(@"(?m)^SgdStep +f32 +\d+ +skipped: wrong has no kernel for it$"));
            Assert.That(run.Lines[^1], Is.EqualTo($"0 passed, 0 failed, {KernelCases.All.Count(c => c.Call.Name == "SgdStep")} skipped"));
        });
    }

    [GeneratedRegex(@"^(?<passed>\d+) passed, 0 failed(, (?<skipped>\d+) skipped)?$")]
    private static partial Regex LastLine();

    /// <summary>The reference, but for a relu that gives nothing but zeros, without an optimizer and without bf16.</summary>
    private sealed class WrongRelu : IBackend
    {
        private readonly ReferenceBackend _reference = new();

        public string Name => "wrong";

        public CachingAllocator Memory => _reference.Memory;

        public void Run<TCall>(in TCall call) where TCall : struct, IKernelCall
        {
            _reference.Run(call);
            if (call is ReluForward relu)
                _reference.CopyFromHost(new byte[relu.Y.Bytes], relu.Y);
        }

        public bool Supports(Type call, DType type) => call.Name != "SgdStep" && type == DType.F32 && _reference.Supports(call, type);

        public void CopyFromHost(ReadOnlySpan<byte> source, View target) => _reference.CopyFromHost(source, target);

        public void CopyToHost(View source, Span<byte> target) => _reference.CopyToHost(source, target);

        public void Synchronize() => _reference.Synchronize();

        public void Dispose() => _reference.Dispose();
    }
}
