using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Dom.Cli;

/// <summary><c>dom devices</c>: what there is to compute on.</summary>
internal static class DevicesCommand
{
    private const string NoCuda = "no CUDA backend in this version";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("devices",
            "Lists what --device can name, and the processor, its SIMD width and memory.")
        { json };
        command.SetAction(result =>
        {
            result.InvocationConfiguration.Output.WriteLine(result.GetValue(json) ? ToJson() : ToText());
            return ExitCode.Done;
        });
        return command;
    }

    private static string ToText()
    {
        string simd = Machine.VectorBits == 0 ? "no SIMD" : $"SIMD of {Machine.VectorBits} bits ({Machine.VectorBits / 32} floats at once)";
        return string.Create(CultureInfo.InvariantCulture, $"""
            cpu        {Machine.ProcessorName}
                       {Machine.Cores} {(Machine.Cores == 1 ? "core" : "cores")}, {simd}, {Machine.MemoryBytes / (double)(1 << 30):0.0} GiB of memory
            reference  the same processor, one thread, scalar code in double precision: what every other device is compared with
            cuda       {NoCuda}

            auto       takes cpu
            {RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}
            """);
    }

    private static string ToJson() => JsonLine.Of(new Dictionary<string, object>
    {
        ["devices"] = new object[]
        {
            new Dictionary<string, object>
            {
                ["name"] = "cpu", ["available"] = true, ["processor"] = Machine.ProcessorName, ["cores"] = Machine.Cores,
                ["simdBits"] = Machine.VectorBits, ["memoryBytes"] = Machine.MemoryBytes,
            },
            new Dictionary<string, object> { ["name"] = "reference", ["available"] = true },
            new Dictionary<string, object> { ["name"] = "cuda", ["available"] = false, ["reason"] = NoCuda },
        },
        ["auto"] = "cpu",
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["system"] = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}",
    });
}
