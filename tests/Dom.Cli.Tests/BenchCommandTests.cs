using System.Text.Json;
using Dom.Cli.Bench;
using Dom.Kernels.Tests;

namespace Dom.Cli.Tests;

public sealed class BenchCommandTests
{
    private static readonly BenchPlan s_tiny = new(SecondsPerFigure: 0, ConvolutionBatch: 1, SmallBatch: 4, LargeBatch: 2);
    private static readonly StepBenchPlan s_short = new() { Seconds = 0, SecondsPerCall = 2e-5, Patience = 0, Batches = [2], Model = "preact-resnet8" };

    private static readonly LadderBenchPlan s_low = new() { SecondsPerRound = 0, Patience = 0 };

    private static Task<Invocation> Run(params string[] arguments) =>
        Invocation.RunAsync(BenchCommand.Create(s_tiny, s_short, s_low), CancellationToken.None, arguments);

    [Test]
    public async Task The_figures_agree_with_each_other_and_stand_in_one_line_of_json()
    {
        var run = await Run("--threads", "1", "--json");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Lines, Has.Length.EqualTo(1));
        var json = JsonDocument.Parse(run.Output).RootElement;
        double peak = json.GetProperty("peakFlops").GetDouble();
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("threads").GetInt32(), Is.EqualTo(1));
            Assert.That(peak, Is.GreaterThan(0));
            Assert.That(json.GetProperty("copyBandwidth").GetDouble(), Is.GreaterThan(0));
            foreach (var pass in json.GetProperty("convolution").EnumerateArray())
                Assert.That(pass.GetProperty("shareOfPeak").GetDouble() * peak, Is.EqualTo(pass.GetProperty("flopsPerSecond").GetDouble()).Within(1e-6).Percent);
            foreach (var network in json.GetProperty("networks").EnumerateArray())
                Assert.That(
                    network.GetProperty("imagesPerSecond").GetDouble() * network.GetProperty("seconds").GetDouble(),
                    Is.EqualTo(network.GetProperty("batch").GetInt32()).Within(1e-6).Percent);
        });
    }

    [Test]
    public async Task For_people_the_ceilings_come_first_and_every_pass_and_network_has_a_line()
    {
        var run = await Run("--device", "cpu", "--threads", "2");
        Assert.Multiple(() =>
        {
            Assert.That(run.Lines[0], Does.Contain(Machine.ProcessorName).And.Contain("2 threads"));
            Assert.That(run.Output, Does.Match(@"(?m)^peak +[\d.]+ GFLOP/s").And.Match(@"(?m)^bandwidth +[\d.]+ GB/s"));
            foreach (string line in new[] { "forward", "input gradient", "weight gradient" })
                Assert.That(run.Output, Does.Match($@"(?m)^{line} +[\d.]+ +[\d.]+ +\d+ %$"));
            foreach (string model in new[] { "preact-resnet8", "preact-resnet18" })
                Assert.That(run.Output, Does.Match($@"(?m)^{model} +training step +\d+ ").And.Match($@"(?m)^{model} +inference +\d+ "));
        });
    }

    [Test]
    public void A_number_of_threads_that_makes_no_sense_is_wrong_usage() =>
        Cli.Run("bench", "--threads", "-1").ShouldFail(ExitCode.WrongUsage, "--threads is -1");

    [TestCase("cpu")]
    [TestCase("reference")]
    public async Task Steps_of_a_network_are_measured_on_any_device(string device)
    {
        var run = await Run("--device", device, "--model", "mlp", "--work", "train,infer,pgd", "--batch", "2,3", "--rounds", "2", "--json");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Lines, Has.Length.EqualTo(1), "the tables belong on standard error");
        var json = JsonDocument.Parse(run.Output).RootElement;
        var steps = json.GetProperty("steps").EnumerateArray().ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("device").GetString(), Is.EqualTo(device));
            Assert.That(
                steps.Select(s => $"{s.GetProperty("work").GetString()} {s.GetProperty("batch").GetInt32()}"),
                Is.EqualTo(new[] { "train 2", "infer 2", "pgd 2", "train 3", "infer 3", "pgd 3" }));
            Assert.That(run.Error, Does.Match(@"(?m)^PGD-10 training step +3 ").And.Match(@"(?m)^inference +2 "));
            foreach (var step in steps)
            {
                double median = step.GetProperty("milliseconds").GetDouble();
                Assert.That(step.GetProperty("rounds").GetInt32(), Is.EqualTo(2));
                Assert.That(step.GetProperty("fastestMilliseconds").GetDouble(), Is.GreaterThan(0).And.LessThanOrEqualTo(median));
                Assert.That(step.GetProperty("slowestMilliseconds").GetDouble(), Is.GreaterThanOrEqualTo(median));
                Assert.That(
                    step.GetProperty("imagesPerSecond").GetDouble() * median / 1e3, Is.EqualTo(step.GetProperty("batch").GetInt32()).Within(1e-6).Percent);
                Assert.That(step.GetProperty("peakMemoryBytes").GetInt64(), Is.GreaterThan(0));
            }
        });
    }

    [Test]
    public async Task The_table_of_calls_holds_every_call_of_the_step_and_the_longest_come_first()
    {
        var run = await Run("--work", "pgd", "--calls", "--threads", "1", "--json");
        Assert.That(run.Code, Is.Zero, run.Error);
        var json = JsonDocument.Parse(run.Output).RootElement;
        var step = json.GetProperty("steps")[0];
        var table = json.GetProperty("calls")[0];
        var calls = table.GetProperty("calls").EnumerateArray().ToArray();
        double bandwidth = json.GetProperty("ceilings").GetProperty("bytesPerSecond").GetDouble();
        double[] totals = [.. calls.Select(c => c.GetProperty("count").GetInt32() * c.GetProperty("microseconds").GetDouble())];
        Assert.Multiple(() =>
        {
            Assert.That(calls.Sum(c => c.GetProperty("count").GetInt32()), Is.EqualTo(step.GetProperty("kernelCalls").GetInt32()));
            Assert.That(totals, Is.Ordered.Descending);
            Assert.That(totals.Sum() / 1e3, Is.EqualTo(table.GetProperty("sumMilliseconds").GetDouble()).Within(1e-6).Percent);
            var attacked = calls.Single(c => c.GetProperty("sizes").GetString() == "f32 3->16 @32 3x3, batch 2" && c.GetProperty("call").GetString() == "Conv2dInputGradient");
            Assert.That(attacked.GetProperty("count").GetInt32(), Is.EqualTo(10), "one gradient of the pixels in each of ten attack steps");
            foreach (var call in calls)
            {
                bool computes = call.GetProperty("call").GetString() is "Gemm" or "Conv2dForward" or "Conv2dInputGradient" or "Conv2dWeightGradient";
                Assert.That(call.TryGetProperty("flopsPerSecond", out _), Is.EqualTo(computes), call.ToString());
                Assert.That(
                    call.GetProperty("shareOfBandwidth").GetDouble() * bandwidth, Is.EqualTo(call.GetProperty("bytesPerSecond").GetDouble()).Within(1e-6).Percent);
                Assert.That(
                    call.GetProperty("floorOverTime").GetDouble(), Is.GreaterThanOrEqualTo(call.GetProperty("shareOfBandwidth").GetDouble() * 0.999999),
                    "no floor is below the bytes at the bandwidth");
            }
            Assert.That(run.Error, Does.Contain("on the same operands").And.Match(@"(?m)^the whole step takes [\d.]+ ms, [\d.]+ of the sum"));
        });
    }

    [Test]
    public async Task In_bf16_activations_are_bf16_and_products_are_held_against_products_of_bf16()
    {
        var run = await Run("--device", "reference", "--model", "mlp", "--work", "train", "--precision", "bf16", "--calls");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.Multiple(() =>
        {
            Assert.That(run.Lines[0], Does.StartWith("reference, mlp, 32x32 images, bf16"));
            Assert.That(run.Output, Does.Match(@"(?m)^Gemm +bf16\[").And.Match(@"(?m)^SgdStep +f32\[").And.Contain("a bf16 matrix product"));
        });
    }

    [Test]
    public async Task A_peak_that_another_program_reached_counts_where_it_is_the_larger_one()
    {
        var run = await Run("--device", "reference", "--model", "mlp", "--work", "infer", "--calls", "--peak", "1000");
        Assert.That(run.Output, Does.Match(@"(?m)^peak +1000\.0 TFLOP/s \(--peak\)"));
        run = await Run("--device", "reference", "--model", "mlp", "--work", "infer", "--calls", "--peak", "1e-9");
        Assert.That(run.Output, Does.Match(@"(?m)^peak +0\.\d+ TFLOP/s \(a f32 matrix product of"));
    }

    [Test]
    public async Task The_ladder_checks_and_measures_every_rung_and_the_rates_agree_with_the_times()
    {
        var run = await Run("--device", $"emulated:{Emulator.Library}", "--ladder", "--size", "33x18x21", "--peak", "0.002,0.004", "--json");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Lines, Has.Length.EqualTo(1), "the table belongs on standard error");
        var json = JsonDocument.Parse(run.Output).RootElement;
        var rungs = json.GetProperty("rungs").EnumerateArray().ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(rungs.Select(r => r.GetProperty("name").GetString()), Is.EqualTo(
                new[] { "1 naive", "2 coalesced", "3 shared tiles", "4 register tiles", "5 asynchronous", "6 tensor cores", "Dom.Native, f32", "Dom.Native, bf16" }));
            Assert.That(json.GetProperty("ceilingsBf16").GetProperty("flopsPerSecond").GetDouble(), Is.EqualTo(4e9));
            foreach (var rung in rungs)
            {
                double seconds = rung.GetProperty("milliseconds").GetDouble() / 1e3, rate = rung.GetProperty("flopsPerSecond").GetDouble();
                bool half = rung.GetProperty("operands").GetString() == "bf16";
                Assert.That(rate * seconds, Is.EqualTo(2.0 * 33 * 18 * 21).Within(1e-6).Percent);
                Assert.That(rung.GetProperty("shareOfPeak").GetDouble() * (half ? 4e9 : 2e9), Is.EqualTo(rate).Within(1e-6).Percent, "the peak that was given");
                double bytes = (half ? 2 : 4) * (33 * 21 + 21 * 18) + (rung.GetProperty("name").GetString() == "Dom.Native, bf16" ? 2 : 4) * 33 * 18;
                Assert.That(rung.GetProperty("leastBytesPerSecond").GetDouble() * seconds, Is.EqualTo(bytes).Within(1e-6).Percent);
                Assert.That(rung.GetProperty("largestError").GetDouble(), Is.InRange(0, 0.1));
            }
            Assert.That(run.Error, Does.Match(@"(?m)^6 tensor cores +bf16 +[\d.]+ ").And.Match(@"(?m)^floor f32 +[\d.]+ ms"));
        });
    }

    [TestCase("--work is 'trian'; it must be one of train, infer, pgd", "--work", "infer,trian")]
    [TestCase("--batch: '0' must be a whole number from 1", "--batch", "128,0")]
    [TestCase("--model is 'resnet'", "--model", "resnet")]
    [TestCase("give one of them", "--rounds", "3", "--seconds", "1")]
    [TestCase("the cpu device computes in f32 only", "--device", "cpu", "--precision", "bf16")]
    [TestCase("--rounds is 0", "--rounds", "0")]
    [TestCase("--seconds is -1", "--seconds", "-1")]
    [TestCase("it needs --calls", "--peak", "800")]
    [TestCase("--peak is 0", "--calls", "--peak", "0")]
    [TestCase("--size is that of the matrices of --ladder", "--size", "128")]
    [TestCase("leave out --work", "--ladder", "--work", "train")]
    [TestCase("--size is '12x3'; it must be one whole number from 1 to 32768, or three", "--ladder", "--size", "12x3")]
    [TestCase("--peak is '50,0'; it must be one number above 0 or two", "--ladder", "--peak", "50,0")]
    [TestCase("--ladder runs kernels of a GPU; cpu is none", "--ladder", "--device", "cpu")]
    [TestCase("there are auto, cpu", "--device", "tpu")]
    public void What_cannot_be_measured_is_wrong_usage(string said, params string[] arguments) =>
        Cli.Run(["bench", .. arguments]).ShouldFail(ExitCode.WrongUsage, said);
}
