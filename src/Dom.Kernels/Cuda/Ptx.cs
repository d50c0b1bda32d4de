using System.Reflection;
using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>The compiled kernels that are embedded in this assembly, as <c>kernels/build.sh ptx</c> made them.</summary>
internal static class Ptx
{
    private const string Folder = "ptx/";

    /// <summary>The text of a module, zero-terminated. A module exists for sm_80 and up, or for sm_90a alone.</summary>
    public static byte[] Load(string module)
    {
        string name = $"{Folder}{module}";
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.sm_80.ptx")
            ?? Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.sm_90a.ptx")
            ?? throw new DeviceException($"cuda: this build holds no kernels {name}; they are made by kernels/build.sh ptx.");
        var text = new byte[stream.Length + 1];
        stream.ReadExactly(text.AsSpan(0, (int)stream.Length));
        return text;
    }
}
