namespace Dom.Kernels.Cuda;

/// <summary>
/// A sequence of launches as one CUDA graph, a chain of kernel nodes: the device gets it at once, and where only arguments have changed since, those nodes alone are
/// told their new ones.
/// </summary>
/// <remarks>
/// By the driver's manual a changed node "only affects future launches"; launches of the graph that are queued or running keep the arguments that they were queued
/// with, and each launch is ordered behind what is in the stream. So a graph may be changed and launched again while its last launch is still under way, and one that is
/// destroyed then is freed when it is done. The driver does not lock graphs: one thread at a time. Nodes are told apart by their handles in the graph that the
/// executable one was made from, so both are kept.
/// </remarks>
internal sealed unsafe class LaunchGraph : IDisposable
{
    private readonly LaunchShape[] _shapes;
    private readonly byte[] _arguments;
    private readonly nint[] _nodes;
    private nint _graph, _executable;

    private LaunchGraph(LaunchShape[] shapes, ReadOnlySpan<byte> arguments)
    {
        _shapes = shapes;
        _arguments = arguments.ToArray();
        _nodes = new nint[shapes.Length];
    }

    /// <summary>Makes a graph that does what launches would.</summary>
    /// <param name="shapes">Of which kind, at least one.</param>
    /// <param name="launches">The launches.</param>
    /// <param name="made">The graph; null where it could not be made.</param>
    public static GraphStep Make(LaunchShape[] shapes, LaunchSequence launches, out LaunchGraph? made)
    {
        made = null;
        var graph = new LaunchGraph(shapes, launches.Arguments);
        var step = graph.Build();
        if (step.Result == 0)
            made = graph;
        else
            graph.Dispose();
        return step;
    }

    /// <summary>Queues launches that differ from those of the graph in their arguments at most.</summary>
    public GraphStep Launch(LaunchSequence launches, nint stream)
    {
        void** arguments = stackalloc void*[2];
        int start = 0;
        fixed (byte* wanted = launches.Arguments)
            for (int i = 0; i < _shapes.Length; i++)
            {
                int bytes = _shapes[i].ArgumentBytes;
                if (!launches.Arguments.Slice(start, bytes).SequenceEqual(_arguments.AsSpan(start, bytes)))
                {
                    _shapes[i].Address(wanted + start, arguments);
                    var node = new CudaKernelNode(_shapes[i], arguments);
                    int result = CudaApi.GraphSetKernelNode(_executable, _nodes[i], &node);
                    if (result != 0)
                        return new GraphStep(result, "cuGraphExecKernelNodeSetParams", i);
                    launches.Arguments.Slice(start, bytes).CopyTo(_arguments.AsSpan(start));
                }
                start += bytes;
            }
        return new GraphStep(CudaApi.GraphLaunch(_executable, stream), "cuGraphLaunch");
    }

    public void Dispose()
    {
        // Whoever has failed before has told so.
        if (_executable != 0)
            _ = CudaApi.GraphExecutableDestroy(_executable);
        if (_graph != 0)
            _ = CudaApi.GraphDestroy(_graph);
        _executable = _graph = 0;
    }

    private GraphStep Build()
    {
        int result = CudaApi.GraphCreate(out _graph, 0);
        if (result != 0)
            return new GraphStep(result, "cuGraphCreate");
        void** arguments = stackalloc void*[2];
        int start = 0;
        fixed (byte* first = _arguments)
            for (int i = 0; i < _shapes.Length; i++)
            {
                _shapes[i].Address(first + start, arguments);
                var node = new CudaKernelNode(_shapes[i], arguments);
                // Behind the launch before it, as in the stream: kernels share scratch memory.
                nint before = i > 0 ? _nodes[i - 1] : 0;
                result = CudaApi.GraphAddKernelNode(out _nodes[i], _graph, i > 0 ? &before : null, i > 0 ? 1u : 0, &node);
                if (result != 0)
                    return new GraphStep(result, "cuGraphAddKernelNode", i);
                start += _shapes[i].ArgumentBytes;
            }
        return new GraphStep(CudaApi.GraphInstantiate(out _executable, _graph, 0), "cuGraphInstantiate");
    }
}

/// <summary>What a function of the driver said to a graph.</summary>
/// <param name="Result">Its CUresult.</param>
/// <param name="Function">Its name in the manual.</param>
/// <param name="Launch">Of which launch; -1 for all of them.</param>
internal readonly record struct GraphStep(int Result, string Function, int Launch = -1);
