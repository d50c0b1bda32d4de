using System.Reflection;
using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>The compiled kernels that are embedded in this assembly, as <c>kernels/build.sh ptx</c> made them.</summary>
internal static class Ptx
{
    /// <summary>Hopper's own instructions: no later device has them. Their PTX (ISA 8.0) needs a driver for CUDA 12.0.</summary>
    private const int Hopper = 90, HopperDriver = 12000;

    /// <summary>The text of a module, zero-terminated: that of Hopper on Hopper where there is one, else the one for all.</summary>
    /// <param name="module">The file of kernels, "elementwise".</param>
    /// <param name="computeCapability">Of the device, 90 for 9.0.</param>
    /// <param name="driverVersion">CUDA version of the driver, 12040 for 12.4.</param>
    /// <exception cref="DeviceException">There is no such module.</exception>
    public static byte[] Load(string module, int computeCapability, int driverVersion)
    {
        bool isHopper = computeCapability == Hopper && driverVersion >= HopperDriver && Environment.GetEnvironmentVariable("DOM_CUDA_ARCH") != "80";
        string all = $"ptx/{module}.sm_80.ptx", hopper = $"ptx/{module}.sm_90a.ptx";
        using var stream = (isHopper ? Open(hopper) : null) ?? Open(all)
            ?? throw new DeviceException($"cuda: this build holds no kernels {all}; they are made by kernels/build.sh ptx.");
        var text = new byte[stream.Length + 1];
        stream.ReadExactly(text.AsSpan(0, (int)stream.Length));
        return text;
    }

    private static Stream? Open(string name) => Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
}
