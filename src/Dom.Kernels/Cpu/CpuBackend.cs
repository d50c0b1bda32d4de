using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Kernels for the host's processor: SIMD of whatever width it has, all its cores, f32 elements and f32 accumulation. The same call gives the
/// same bits whatever the number of threads.
/// </summary>
public sealed partial class CpuBackend : HostBackend
{
    private readonly Workers _workers;
    private readonly Scratch[] _scratch;
    private HeldWeights? _heldWeights;

    /// <summary>A backend that computes on <paramref name="threads"/> threads; 0 takes all cores of the machine.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative number of threads, or more than 1024.</exception>
    public CpuBackend(int threads = 0) : base("cpu")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, 1024);
        _workers = new Workers(threads == 0 ? Environment.ProcessorCount : threads);
        _scratch = new Scratch[_workers.Count + 1];
        for (int i = 0; i < _scratch.Length; i++)
            _scratch[i] = new Scratch();
    }

    /// <summary>Bytes that may be taken for what is derived from weights while they are held constant.</summary>
    internal long HeldWeightsLimit { get; init; } = 512L << 20;

    /// <summary>Bytes that are taken for it now.</summary>
    internal long HeldWeightsBytes => _heldWeights?.Bytes ?? 0;

    /// <summary>Threads that kernels run on.</summary>
    public int Threads => _workers.Count;

    /// <inheritdoc/>
    public override bool Supports(Type call, DType type) =>
        (type == DType.F32 || (type == DType.BF16 && call == typeof(Cast))) && HasKernel(call);

    /// <inheritdoc/>
    public override IDisposable HoldConstant(View memory) => Held.Hold(memory);

    private HeldWeights Held => LazyInitializer.EnsureInitialized(ref _heldWeights, () => new HeldWeights(HeldWeightsLimit));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _workers.Dispose();
            foreach (var scratch in _scratch)
                scratch.Dispose();
            _heldWeights?.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>The elements of a view that must be f32; null for an absent argument.</summary>
    private static unsafe float* Floats(View view, string call) => view.IsNone || view.Type == DType.F32
        ? (float*)view.Address
        : throw new DeviceException($"cpu: no kernel for {call}({view.Type.ToString().ToLowerInvariant()}). f32 is supported; cast the tensor.");

    /// <summary>Memory for packed operands that is kept between calls; grows, never shrinks. One for each worker and one shared by a call.</summary>
    private sealed unsafe class Scratch : IDisposable
    {
        private float* _floats;
        private long _count;

        /// <summary>At least <paramref name="count"/> floats, aligned to 64 bytes, with undefined contents.</summary>
        public float* Floats(long count)
        {
            if (count > _count)
            {
                HostMemory.Free(_floats);
                _floats = (float*)HostMemory.Allocate(count * sizeof(float));
                _count = count;
            }
            return _floats;
        }

        public void Dispose()
        {
            HostMemory.Free(_floats);
            _floats = null;
            _count = 0;
        }
    }

    /// <summary>Scratch memory of worker <paramref name="worker"/>.</summary>
    private Scratch ScratchOf(int worker) => _scratch[worker];

    /// <summary>Scratch memory that all workers of one call may read.</summary>
    private Scratch SharedScratch => _scratch[^1];
}
