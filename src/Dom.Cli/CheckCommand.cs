using System.CommandLine;
using Dom.Cli.Check;
using Dom.Kernels.Cpu;
using Dom.Tensors.Backend;

namespace Dom.Cli;

/// <summary><c>dom check</c>: runs the conformance suite, the same one that the tests run, on a person's own machine.</summary>
internal static class CheckCommand
{
    /// <summary>The command.</summary>
    public static Command Create() => Create(Devices.Open);

    /// <summary>The command with other backends than the real ones.</summary>
    /// <param name="open">Opens a device by its name, number of threads, and way to compute convolutions; what it has to say of the device goes to the last argument.</param>
    internal static Command Create(Func<string, int, ConvolutionMethod, Action<string>, IBackend> open)
    {
        var device = new Option<string>("--device") { Description = Devices.Help, HelpName = Devices.Values, DefaultValueFactory = _ => "auto" };
        var threads = new Option<int>("--threads") { Description = "Threads of the cpu device; 0 for all cores.", HelpName = "N" };
        var filter = new Option<string?>("--filter")
        {
            Description = "Only the cases whose name contains this text: a call, a type (f32, bf16), or 'gradient'.",
            HelpName = "TEXT",
        };
        var convolution = SharedOptions.Convolution();
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("check",
            "Checks every kernel of a device: against the scalar reference in double precision, for writes beyond its buffers, for the same bits "
            + "the second time, and every gradient. Each line gives the normalized error of the case that comes closest to its tolerance. "
            + "Fails where a case fails; a kernel that is not there is skipped, and the table at the end shows which are.")
        { device, threads, convolution, filter, json };
        command.SetAction(result =>
        {
            var method = result.Convolution(convolution) ?? ConvolutionMethod.Auto;
            var plan = CheckPlan.Create(result.GetValue(filter), method);
            var configuration = result.InvocationConfiguration;
            string? remark = null;
            using var backend = open(result.GetRequiredValue(device), result.GetValue(threads), method, said => remark = said);
            if (remark is not null)
                configuration.Error.WriteLine(Devices.Line(backend, remark));
            var live = new LiveLine(new Screen(configuration.Error));
            return new CheckRun(plan, configuration.Output, live).Run(backend, result.GetValue(json)) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}
