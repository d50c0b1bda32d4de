using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Microsoft.Win32;

namespace Dom.Cli;

/// <summary>What the program computes on: processor, SIMD, memory.</summary>
internal static class Machine
{
    /// <summary>Name of the processor as its maker calls it, "unknown processor" where the system does not say.</summary>
    public static string ProcessorName
    {
        get
        {
            string? name = null;
            try
            {
                name = OperatingSystem.IsLinux() ? FromCpuInfo(File.ReadLines("/proc/cpuinfo"))
                    : OperatingSystem.IsWindows()
                        ? Registry.GetValue(@"HKEY_LOCAL_MACHINE\HARDWARE\DESCRIPTION\System\CentralProcessor\0", "ProcessorNameString", null) as string
                    : OperatingSystem.IsMacOS() ? OutputOf("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")
                    : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.SecurityException or System.ComponentModel.Win32Exception)
            {
                // The name is for people only; without it everything works.
            }
            return string.IsNullOrWhiteSpace(name) ? $"unknown processor ({RuntimeInformation.ProcessArchitecture})" : name.Trim();
        }
    }

    /// <summary>Cores that this process may use.</summary>
    public static int Cores => Environment.ProcessorCount;

    /// <summary>Bits of the widest vector that the processor computes with in hardware; 0 for none.</summary>
    public static int VectorBits =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    /// <summary>Bytes of memory that this process may use.</summary>
    public static long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The processor's name in the lines of Linux's <c>/proc/cpuinfo</c>, or null; ARM kernels do not give one.</summary>
    internal static string? FromCpuInfo(IEnumerable<string> lines) => lines
        .Where(line => line.StartsWith("model name", StringComparison.Ordinal) && line.Contains(':'))
        .Select(line => line[(line.IndexOf(':') + 1)..].Trim()).FirstOrDefault();

    private static string OutputOf(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
