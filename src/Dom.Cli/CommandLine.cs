using System.CommandLine;
using System.CommandLine.Invocation;

namespace Dom.Cli;

/// <summary>The commands of <c>dom</c> and what running one returns.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command.</summary>
    /// <param name="args">What was typed behind <c>dom</c>.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Errors; with --json everything that is not the result, too.</param>
    /// <param name="cancel">Asks the command to save and stop.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken cancel = default)
    {
        try
        {
            // No response files and no bundles: '@' and '-' begin folder names and negative numbers, never syntax.
            var parse = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
            if (args.Length == 0)
            {
                Root().Parse("--help").Invoke(new InvocationConfiguration { Output = error });
                return ExitCode.WrongUsage;
            }
            if (parse.Action is ParseErrorAction)
            {
                ErrorReport.Write(error, ErrorReport.Describe(parse));
                return ExitCode.WrongUsage;
            }
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // signals arrive through the token
            };
            return parse.InvokeAsync(configuration, cancel).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            return ErrorReport.Write(error, e);
        }
    }

    /// <summary>All commands.</summary>
    public static RootCommand Root()
    {
        var root = new RootCommand(
            "Trains residual networks, naturally and adversarially, keeps the loss of every sample in every epoch, and has Distraction "
            + "Over-Memorization (DOM, ICLR 2024) built in. "
            + "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped by --on-collapse stop and resumable, 130 interrupted and resumable.");
        root.Add(TrainCommand.Create());
        root.Add(EvalCommand.Create());
        root.Add(ReproduceCommand.Create());
        root.Add(LedgerCommand.Create());
        root.Add(AnalyzeCommand.Create());
        root.Add(CheckCommand.Create());
        root.Add(BenchCommand.Create());
        root.Add(DevicesCommand.Create());
        root.Add(DataCommand.Create());
        Examples.AddToHelp(root);
        return root;
    }
}
