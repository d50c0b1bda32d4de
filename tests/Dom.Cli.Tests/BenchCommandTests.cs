using System.Text.Json;
using Dom.Cli.Bench;

namespace Dom.Cli.Tests;

public sealed class BenchCommandTests
{
    private static readonly BenchPlan s_tiny = new(SecondsPerFigure: 0, ConvolutionBatch: 1, SmallBatch: 4, LargeBatch: 2);

    [Test]
    public async Task The_figures_agree_with_each_other_and_stand_in_one_line_of_json()
    {
        var run = await Invocation.RunAsync(BenchCommand.Create(s_tiny), CancellationToken.None, "--threads", "1", "--json");
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
        var run = await Invocation.RunAsync(BenchCommand.Create(s_tiny), CancellationToken.None, "--threads", "2");
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
}
