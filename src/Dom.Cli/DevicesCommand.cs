using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Dom.Kernels.Cuda;

namespace Dom.Cli;

/// <summary><c>dom devices</c>: what there is to compute on.</summary>
internal static class DevicesCommand
{
    /// <summary>The command.</summary>
    public static Command Create() => Create(GpuSurvey.Take);

    /// <summary>The command with other GPUs than those of this machine.</summary>
    internal static Command Create(Func<GpuSurvey> survey)
    {
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("devices",
            "Lists what --device can name: the processor with its SIMD width and memory, and the NVIDIA GPUs, or why there is none.")
        { json };
        command.SetAction(result =>
        {
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(json))
                output.WriteLine(ToJson(survey()));
            else
                output.WriteLine(ToText(survey()));
            return ExitCode.Done;
        });
        return command;
    }

    private static string ToText(GpuSurvey survey)
    {
        string simd = Machine.VectorBits == 0 ? "no SIMD" : $"SIMD of {Machine.VectorBits} bits ({Machine.VectorBits / 32} floats at once)";
        var text = new StringBuilder();
        Add("cpu", $"{Machine.ProcessorName}",
            $"{Machine.Cores} {(Machine.Cores == 1 ? "core" : "cores")}, {simd}, {Machine.MemoryBytes / (double)(1 << 30):0.0} GiB of memory");
        Add("reference", $"the same processor, one thread, scalar code in double precision: what every other device is compared with");
        foreach (var gpu in survey.Gpus)
        {
            Add($"cuda:{gpu.Device}", $"{gpu.Name}",
                $"compute capability {gpu.CapabilityText}, {gpu.Multiprocessors} multiprocessors, {gpu.MemoryBytes / (double)(1 << 30):0.0} GiB of memory, {gpu.L2Bytes / (double)(1 << 20):0.#} MiB of L2; driver for CUDA {survey.DriverText}");
            if (gpu.Problem is { } problem)
                Add("", $"cannot be used: {problem}");
        }
        if (survey.Gpus.Count == 0)
            Add("cuda", $"none: {survey.WhyNone}");
        text.Append('\n');
        Add("auto", $"takes {(survey.Usable is { } chosen ? $"cuda:{chosen.Device}" : $"cpu: {survey.WhyNone}")}");
        return text.Append(CultureInfo.InvariantCulture,
            $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}").ToString();

        void Add(string name, params FormattableString[] lines)
        {
            foreach (var line in lines)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name,-11}").Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
                name = "";
            }
        }
    }

    private static string ToJson(GpuSurvey survey)
    {
        var devices = new List<Dictionary<string, object>>
        {
            new()
            {
                ["name"] = "cpu", ["available"] = true, ["processor"] = Machine.ProcessorName, ["cores"] = Machine.Cores,
                ["simdBits"] = Machine.VectorBits, ["memoryBytes"] = Machine.MemoryBytes,
            },
            new() { ["name"] = "reference", ["available"] = true },
        };
        foreach (var gpu in survey.Gpus)
        {
            var entry = new Dictionary<string, object>
            {
                ["name"] = $"cuda:{gpu.Device}", ["available"] = gpu.Problem is null, ["gpu"] = gpu.Name, ["computeCapability"] = gpu.CapabilityText,
                ["multiprocessors"] = gpu.Multiprocessors, ["memoryBytes"] = gpu.MemoryBytes, ["l2Bytes"] = gpu.L2Bytes, ["driverCuda"] = survey.DriverText,
            };
            if (gpu.Problem is { } problem)
                entry["reason"] = problem;
            devices.Add(entry);
        }
        if (survey.Gpus.Count == 0)
            devices.Add(new() { ["name"] = "cuda", ["available"] = false, ["reason"] = survey.WhyNone! });
        return JsonLine.Of(new Dictionary<string, object>
        {
            ["devices"] = devices.ToArray(),
            ["auto"] = survey.Usable is { } chosen ? $"cuda:{chosen.Device}" : "cpu",
            ["runtime"] = RuntimeInformation.FrameworkDescription,
            ["system"] = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}",
        });
    }
}
