using System.Globalization;

namespace Dom.Bench;

/// <summary>The resident size of this process, from Linux.</summary>
internal static class ProcessMemory
{
    /// <summary>The largest resident size since the start or the last <see cref="ResetPeak"/>, in bytes; 0 where the system does not say.</summary>
    public static long Peak
    {
        get
        {
            const string Status = "/proc/self/status";
            string? line = File.Exists(Status)
                ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            return line is null ? 0 : 1024 * long.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Starts the measurement anew, from what is resident now.</summary>
    public static void ResetPeak()
    {
        if (File.Exists("/proc/self/clear_refs"))
            File.WriteAllText("/proc/self/clear_refs", "5");
    }
}
