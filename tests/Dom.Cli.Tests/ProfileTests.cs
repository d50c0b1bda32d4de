using System.Text.Json;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary><c>--profile</c>: every kernel call of the first steps, without a trace in the result.</summary>
public sealed class ProfileTests
{
    private static string[] Tiny(string folder, params string[] more) =>
        ["train", "--preset", "quick", "--batch", "50", "--threads", "2", "--out", folder, .. more];

    [Test]
    public void A_profiled_run_ends_with_the_same_bytes_as_one_that_is_not()
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run(Tiny(scratch["plain"])).Code, Is.Zero);
        Assert.That(Cli.Run(Tiny(scratch["profiled"], "--profile", scratch["trace.json"])).Code, Is.Zero);
        RunFolder plain = new(scratch["plain"]), profiled = new(scratch["profiled"]);
        Assert.That(File.ReadAllBytes(profiled.Last), Is.EqualTo(File.ReadAllBytes(plain.Last)));
        Assert.That(profiled.ReadDescription().Threads, Is.EqualTo(2), "the threads of the backend inside");
    }

    [Test]
    public void The_trace_holds_the_calls_of_the_first_epoch_in_order_and_the_table_sums_them_up()
    {
        using var scratch = new ScratchFolder();
        var run = Cli.Run(Tiny(scratch["run"], "--profile", scratch["trace.json"]));
        var events = EventsOf(scratch["trace.json"], isHost: false);
        string[] names = [.. events.Select(e => e.GetProperty("name").GetString()!)];
        double[] starts = [.. events.Select(e => e.GetProperty("ts").GetDouble())];
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(names.Count(name => name == "SgdStep"), Is.EqualTo(4), "200 images in batches of 50 are 4 steps an epoch");
            Assert.That(names[0], Is.EqualTo("CropFlip"), "a step begins with its images");
            Assert.That(names[^1], Is.EqualTo("SgdStep"), "the evaluation behind the epoch is not profiled");
            Assert.That(starts, Is.Ordered);
            Assert.That(run.Output, Does.Match(@"(?m)^ +3 steps, [\d.]+ ms a step, after a first one of [\d.]+ ms"));
            Assert.That(run.Output, Does.Match(@"(?m)^ +SgdStep +1 +[\d.]+ +[\d.]+ %$"));
            Assert.That(run.Output, Does.Match(@"(?m)^ +\(between calls\) +[\d.]+ +[\d.]+ %$"));
        });
    }

    [Test]
    public void The_trace_shows_what_the_training_thread_does_between_the_calls()
    {
        using var scratch = new ScratchFolder();
        var run = Cli.Run(Tiny(scratch["run"], "--profile", scratch["trace.json"], "--checkpoint-every", "2"));
        JsonElement[] calls = EventsOf(scratch["trace.json"], isHost: false), host = EventsOf(scratch["trace.json"], isHost: true);
        var batch = host.First(span => NameOf(span) == "batch");
        var crop = calls.First(call => NameOf(call) == "CropFlip");
        Assert.Multiple(() =>
        {
            Assert.That(host.Select(NameOf).Where(name => name is "batch" or "figures"), Has.Exactly(4).EqualTo("batch").And.Exactly(4).EqualTo("figures"));
            Assert.That(host.Select(NameOf).SkipWhile(name => name != "evaluation"),
                Is.EqualTo(new[] { "evaluation", "epoch figures", "ledger", "metrics", "checkpoint" }), "of the first epoch, and no other");
            Assert.That(host.Count(span => NameOf(span) == "checkpoint"), Is.EqualTo(2), "after step 2, and behind the epoch; step 4 is its end");
            Assert.That(Start(batch), Is.LessThan(Start(crop)), "images are gathered inside the batch");
            Assert.That(Start(batch) + batch.GetProperty("dur").GetDouble(), Is.GreaterThan(Start(crop) + crop.GetProperty("dur").GetDouble()));
            Assert.That(run.Output, Does.Match(@"(?m)^ +of it batch +[\d.]+ +[\d.]+ %$"));
            Assert.That(run.Output, Does.Match(@"(?m)^ +after the epoch: evaluation [\d.]+ ms, epoch figures [\d.]+ ms, ledger [\d.]+ ms, metrics [\d.]+ ms, checkpoint [\d.]+ ms$"));
        });

        static string NameOf(JsonElement e) => e.GetProperty("name").GetString()!;
        static double Start(JsonElement e) => e.GetProperty("ts").GetDouble();
    }

    [Test]
    public void An_evaluation_can_be_profiled()
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run(Tiny(scratch["run"], "--epochs", "1")).Code, Is.Zero);
        var run = Cli.Run("eval", "--checkpoint", new RunFolder(scratch["run"]).Last, "--limit-test", "20", "--profile", scratch["trace.json"]);
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Match(@"(?m)^ +BatchNorm2dInfer +\d+ +[\d.]+ +[\d.]+ %$"));
        Assert.That(File.ReadAllText(scratch["trace.json"]), Does.Contain("Conv2dForward").And.Not.Contain("Conv2dWeightGradient"));
    }

    [Test]
    public void A_folder_that_is_not_there_is_wrong_usage_before_anything_starts()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"], "--profile", scratch["none/trace.json"])).ShouldFail(ExitCode.WrongUsage, "--profile", "there is no folder");
        Assert.That(Directory.Exists(scratch["run"]), Is.False);
    }

    private static JsonElement[] EventsOf(string trace, bool isHost) =>
    [
        .. JsonDocument.Parse(File.ReadAllText(trace)).RootElement.GetProperty("traceEvents").EnumerateArray()
            .Where(e => e.GetProperty("cat").GetString() == "host" == isHost),
    ];
}
