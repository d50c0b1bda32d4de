using System.Runtime.InteropServices;

namespace Dom.Kernels.Cuda;

/// <summary>CUDA_KERNEL_NODE_PARAMS_v2: a launch as a node of a graph. The driver copies it, and what the addresses of the arguments lead to, before a call returns.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CudaKernelNode
{
    public nint Function;
    public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
    public void** Arguments;
    public void** Extra;
    public nint Kernel, Context; // both only looked at where there is no function

    public CudaKernelNode(LaunchShape launch, void** arguments)
    {
        this = default;
        Function = launch.Kernel;
        (GridX, GridY, GridZ) = ((uint)launch.Grid.X, (uint)launch.Grid.Y, (uint)launch.Grid.Z);
        (BlockX, BlockY, BlockZ) = ((uint)launch.Threads, 1, 1);
        SharedBytes = (uint)launch.SharedBytes;
        Arguments = arguments;
    }
}

// Graphs. Nodes of kernels have had this form since CUDA 12.0.
internal static unsafe partial class CudaApi
{
    private static readonly string[] s_graphFunctions =
    [
        "cuGraphCreate", "cuGraphAddKernelNode_v2", "cuGraphInstantiateWithFlags", "cuGraphExecKernelNodeSetParams_v2", "cuGraphLaunch", "cuGraphExecDestroy",
        "cuGraphDestroy",
    ];

    /// <summary>Whether the driver has them all; where it has not, none of them may be called.</summary>
    public static bool HasGraphs =>
        NativeLibrary.TryLoad(FileName, out nint library) && Array.TrueForAll(s_graphFunctions, name => NativeLibrary.TryGetExport(library, name, out _));

    [LibraryImport(Library, EntryPoint = "cuGraphCreate")]
    public static partial int GraphCreate(out nint graph, uint flags);

    [LibraryImport(Library, EntryPoint = "cuGraphAddKernelNode_v2")]
    public static partial int GraphAddKernelNode(out nint node, nint graph, nint* dependencies, nuint dependencyCount, CudaKernelNode* launch);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial int GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphExecKernelNodeSetParams_v2")]
    public static partial int GraphSetKernelNode(nint executable, nint node, CudaKernelNode* launch);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial int GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial int GraphExecutableDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial int GraphDestroy(nint graph);
}
