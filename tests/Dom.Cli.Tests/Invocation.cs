using System.CommandLine;

namespace Dom.Cli.Tests;

/// <summary>What a command printed and returned.</summary>
internal sealed record Invocation(int Code, string Output, string Error)
{
    /// <summary>The printed lines without the empty ones.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs what is typed behind "dom", in this process.</summary>
    public static Invocation Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = CommandLine.Run(arguments, output, error);
        return new Invocation(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs one command alone; what it throws comes out.</summary>
    public static async Task<Invocation> RunAsync(Command command, CancellationToken cancellation, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        int code = await command.Parse(arguments).InvokeAsync(configuration, cancellation);
        return new Invocation(code, output.ToString(), error.ToString());
    }
}
