using Dom.Tensors;

namespace Dom.Kernels.Cuda;

// DOM_CUDA_GRAPH=1: launches that may wait for each other are collected and handed over as one CUDA graph. Whatever has a place in the stream (copies, waits, an event
// behind a copy) or must not overtake them (freeing) hands over what is collected first, so the order is that of the calls. A sequence that is new is launched one by
// one; when it comes a second time, it becomes a graph. So a step whose sequence always changes costs a comparison and no graph.
internal sealed unsafe partial class CudaDriver
{
    /// <summary>Fewer launches than these are not worth a graph.</summary>
    private const int FewestInGraph = 8;

    private readonly KnownSequences? _graphs;
    private readonly Lock _launches = new();
    private readonly LaunchSequence _collected = new();
    private int _scopes;

    public IDisposable? QueueTogether()
    {
        if (_graphs is null)
            return null;
        lock (_launches)
            _scopes++;
        return new Together(this);
    }

    /// <summary>What remembers sequences, where graphs were asked for and the driver has them. An error that must name its kernel allows none.</summary>
    private KnownSequences? OpenGraphs() =>
        !_waitsForEachLaunch && Environment.GetEnvironmentVariable("DOM_CUDA_GRAPH") == "1" && CudaApi.HasGraphs ? new KnownSequences() : null;

    /// <summary>Keeps a launch for later, if that is allowed now.</summary>
    private bool Collects(in LaunchShape launch, void** arguments)
    {
        lock (_launches)
        {
            if (_scopes > 0)
                _collected.Add(launch, arguments);
            return _scopes > 0;
        }
    }

    /// <summary>Hands over what is collected, before something else takes its place in the stream.</summary>
    private void HandOver()
    {
        if (_graphs is null)
            return;
        lock (_launches)
        {
            try
            {
                if (_collected.Count > 0 && !LaunchAsGraph(_graphs))
                    LaunchOneByOne();
            }
            finally
            {
                _collected.Clear(); // also where it has failed: nothing is launched twice
            }
        }
    }

    /// <returns>Whether the launches are queued; where they are not, they may be launched one by one.</returns>
    private bool LaunchAsGraph(KnownSequences graphs)
    {
        if (_collected.Count < FewestInGraph || graphs.Recall(_collected) is not { IsRefused: false } known)
            return false;
        if (known.Graph is null)
        {
            known.IsRefused = !Succeeds(LaunchGraph.Make(known.Shapes, _collected, out var made));
            known.Graph = made;
        }
        if (known.Graph is null)
            return false;
        if (!Succeeds(known.Graph.Launch(_collected, _stream)))
        {
            known.Graph.Dispose();
            (known.Graph, known.IsRefused) = (null, true);
            return false;
        }
        foreach (var launch in _collected.Shapes)
            _log.Add(launch.Kernel);
        return true;
    }

    /// <summary>Whether it is done. A graph for which there is no memory left is no error: the launches can do without.</summary>
    private bool Succeeds(GraphStep step) => step switch
    {
        { Result: 0 } => true,
        { Result: CudaApi.OutOfMemory } => false,
        { Launch: < 0 } => throw Late(step.Result, $"{step.Function} of {_collected.Count} launches"),
        _ => throw Late(step.Result, $"{step.Function} of {Describe(_collected.Shapes[step.Launch])},"),
    };

    private void LaunchOneByOne()
    {
        void** arguments = stackalloc void*[2];
        int start = 0;
        fixed (byte* first = _collected.Arguments)
            foreach (var launch in _collected.Shapes)
            {
                launch.Address(first + start, arguments);
                LaunchNow(launch, arguments);
                start += launch.ArgumentBytes;
            }
    }

    private void EndTogether()
    {
        lock (_launches)
        {
            if (--_scopes > 0 || _isDisposed)
                return;
            bool wasTold = _hasFailed;
            try
            {
                MakeCurrent();
                HandOver();
            }
            catch (DeviceException) when (wasTold)
            {
                // After a kernel has failed every function does. Whoever was told is on the way out of here and need not hear it again.
            }
        }
    }

    private void ReleaseGraphs() => _graphs?.Dispose();

    /// <summary>What <see cref="QueueTogether"/> gives.</summary>
    private sealed class Together(CudaDriver driver) : IDisposable
    {
        private bool _isDisposed;

        public void Dispose()
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            driver.EndTogether();
        }
    }
}
