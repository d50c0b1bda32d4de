namespace Dom.Cli.Tests;

/// <summary>Runs a command in this process.</summary>
internal static class Cli
{
    public sealed record Result(int Code, string Output, string Error);

    public static Result Run(params string[] args) => Run(args, null);

    /// <summary>The same; the run is interrupted as soon as it writes <paramref name="interruptAt"/>.</summary>
    public static Result Run(string[] args, string? interruptAt)
    {
        using var cancel = new CancellationTokenSource();
        using var output = new Interrupter(interruptAt, cancel);
        using var error = new StringWriter();
        int code = CommandLine.Run(args, output, error, cancel.Token);
        return new Result(code, output.ToString(), error.ToString());
    }

    /// <summary>What every error must be: nothing on standard output, one line, no stack trace.</summary>
    public static void ShouldFail(this Result result, int code, params string[] said)
    {
        Assert.Multiple(() =>
        {
            Assert.That(result.Code, Is.EqualTo(code), result.Error);
            Assert.That(result.Error, Does.StartWith("dom: error: ").And.EndWith(Environment.NewLine));
            Assert.That(result.Error.TrimEnd(), Does.Not.Contain('\n').And.Not.Contain("   at "));
            foreach (string part in said)
                Assert.That(result.Error, Does.Contain(part));
        });
    }

    private sealed class Interrupter(string? trigger, CancellationTokenSource cancel) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (trigger is not null && value?.Contains(trigger, StringComparison.Ordinal) == true)
                cancel.Cancel();
        }
    }
}

/// <summary>A folder of a test, deleted behind it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public ScratchFolder() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "dom-cli-" + Guid.NewGuid().ToString("N"));

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
