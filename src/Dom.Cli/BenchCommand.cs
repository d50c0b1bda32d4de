using System.CommandLine;
using Dom.Cli.Bench;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom bench</c>: what a person's own machine can do, and how much of it is reached, in under a minute.</summary>
internal static class BenchCommand
{
    /// <summary>The command.</summary>
    public static Command Create() => Create(new BenchPlan());

    /// <summary>The command with other sizes.</summary>
    internal static Command Create(BenchPlan plan)
    {
        var threads = SharedOptions.Threads();
        var json = Given.Switch("--json", "Print one line of JSON.");
        var command = new Command("bench",
            "Measures this machine in under a minute: the peak of its processor and the bandwidth of its memory, how close a 3x3 convolution comes to "
            + "them, and images per second of two networks in training and inference. Medians; close other programs first.")
        { threads, json };
        command.SetAction(parse =>
        {
            int given = parse.Whole(threads) ?? 0;
            if (given is < 0 or > 1024)
                throw new OptionException($"--threads is {given}; it must be 0 (all cores) to 1024.");
            var configuration = parse.InvocationConfiguration;
            var screen = new Screen(configuration.Error);
            var figures = new MachineBench(given, plan, what => Show(screen, what)).Run();
            Show(screen, "");
            if (parse.GetValue(json))
                configuration.Output.WriteLine(JsonLine.Of(figures));
            else
                configuration.Output.Write(figures);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Show(Screen screen, string what)
    {
        if (screen.IsLive)
            screen.Writer.Write($"\r{what}\e[K");
    }
}
