using System.IO.Compression;
using System.Reflection;
using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>The compiled kernels that are embedded in this assembly, an archive of the files as <c>kernels/build.sh ptx</c> made them.</summary>
internal static class Ptx
{
    /// <summary>The text of a module, zero-terminated. A module exists for 8.0 and up, in the instructions of 9.0 alone, which no later device has, or as both.</summary>
    /// <param name="module">The file of kernels, "elementwise".</param>
    /// <param name="computeCapability">Of the device, 90 for 9.0.</param>
    /// <exception cref="DeviceException">There is no such module, or none for the device.</exception>
    public static byte[] Load(string module, int computeCapability)
    {
        using var archive = new ZipArchive(Assembly.GetExecutingAssembly().GetManifestResourceStream("ptx.zip")!);
        var entry = (computeCapability == 90 ? archive.GetEntry($"{module}.sm_90a.ptx") : null) ?? archive.GetEntry($"{module}.sm_80.ptx")
            ?? throw new DeviceException(
                $"cuda: this build holds no kernels {module} for compute capability {computeCapability / 10}.{computeCapability % 10}; they are made by kernels/build.sh ptx.");
        using var stream = entry.Open();
        var text = new byte[entry.Length + 1];
        stream.ReadExactly(text.AsSpan(0, (int)entry.Length));
        return text;
    }
}
