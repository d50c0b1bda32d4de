using System.CommandLine;
using Dom.Nn.StateDictionaries;
using Dom.Tensors;
using Dom.Train;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>Turns what went wrong into one line for the user and an exit code.</summary>
internal static class ErrorReport
{
    /// <summary>Writes the line for an exception; a stack trace only where DOM_DEBUG is 1.</summary>
    /// <returns>The exit code.</returns>
    public static int Write(TextWriter error, Exception exception)
    {
        while (exception is AggregateException { InnerException: { } inner })
            exception = inner;
        var (code, message) = Describe(exception);
        Write(error, message);
        if (Environment.GetEnvironmentVariable("DOM_DEBUG") == "1")
            error.WriteLine(exception);
        return code;
    }

    /// <summary>Writes a message as the one line that an error has.</summary>
    public static void Write(TextWriter error, string message) => error.WriteLine($"dom: error: {message.ReplaceLineEndings(" ").Trim()}");

    /// <summary>What is wrong with a command line that the parser refused.</summary>
    public static string Describe(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        string path = Examples.PathOf(command);
        string help = $" See '{path} --help'.";
        if (parse.UnmatchedTokens is not [var token, ..])
            return parse.Errors[0].Message.TrimEnd('.') + "." + help;
        if (token.StartsWith('-'))
        {
            string name = token.Split('=')[0];
            var options = command.Options.SelectMany(option => option.Aliases.Append(option.Name));
            return $"{path} has no option {name}{NearestName.Hint(name, options)}" + help;
        }
        return command.Subcommands.Count > 0
            ? $"{path} has no command '{token}'{NearestName.Hint(token, command.Subcommands.Select(c => c.Name))}" + help
            : $"'{token}' is one word too many for {path}." + help;
    }

    private static (int Code, string Message) Describe(Exception exception) => exception switch
    {
        OptionException or TooFewClassesException => (ExitCode.WrongUsage, exception.Message),
        DataException or CheckpointException or DeviceException or DivergedException or IOException or UnauthorizedAccessException =>
            (ExitCode.Failed, exception.Message),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted."),
        OutOfMemoryException or InsufficientMemoryException => (ExitCode.Failed, "out of memory; a smaller --batch or --limit-train needs less."),
        _ => (ExitCode.Failed,
            $"unexpected {exception.GetType().Name}: {exception.Message} Please report this; DOM_DEBUG=1 shows where it happened."),
    };
}
