using System.Numerics;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

// Copies to the host that nobody waits for yet. Each goes into a slot, pinned memory with an event that tells when the copy is there; slots are used again, so a
// training run asks the driver for two of them and for no more. A slot may be used again before its copy has arrived, where that was given up: the next one is
// queued behind it on the same stream, and an event that is recorded again speaks of the later copy.
internal sealed unsafe partial class CudaDriver
{
    private const int SmallestSlot = 4096;

    private readonly Lock _reads = new();
    private readonly List<Slot> _slots = [];

    /// <summary>Queues a copy to the host.</summary>
    public PendingRead BeginCopyToHost(nint source, int bytes)
    {
        MakeCurrent();
        HandOver();
        lock (_reads)
        {
            var slot = TakeSlot(bytes);
            int result = CudaApi.CopyToHost((void*)slot.Memory, source, (nuint)bytes, _stream);
            if (result != 0)
                throw Late(result, $"cuMemcpyDtoHAsync of {bytes} bytes");
            result = CudaApi.EventRecord(slot.Event, _stream);
            if (result != 0)
                throw Late(result, "cuEventRecord");
            slot.IsTaken = true;
            return new PinnedRead(this, slot, bytes);
        }
    }

    private Slot TakeSlot(int bytes)
    {
        Slot? best = null;
        foreach (var slot in _slots)
            if (!slot.IsTaken && slot.Bytes >= bytes && (best is null || slot.Bytes < best.Bytes))
                best = slot;
        if (best is not null)
            return best;
        int size = Math.Max(SmallestSlot, (int)Math.Min(Array.MaxLength, BitOperations.RoundUpToPowerOf2((uint)bytes)));
        Check(CudaApi.HostAllocate(out nint memory, (nuint)size, 0), $"cuMemHostAlloc of {size} bytes");
        best = new Slot(memory, size);
        _slots.Add(best); // before its event: it is given back either way
        Check(CudaApi.EventCreate(out nint made, CudaApi.EventDisableTiming), "cuEventCreate");
        best.Event = made;
        return best;
    }

    private void ReleaseSlots()
    {
        foreach (var slot in _slots)
        {
            _ = CudaApi.HostFree(slot.Memory);
            if (slot.Event != 0)
                _ = CudaApi.EventDestroy(slot.Event);
        }
        _slots.Clear();
    }

    private bool IsDone(Slot slot)
    {
        MakeCurrent();
        int result = CudaApi.EventQuery(slot.Event);
        return result switch
        {
            0 => true,
            CudaApi.NotReady => false,
            _ => throw Late(result, "cuEventQuery"),
        };
    }

    private void Wait(Slot slot)
    {
        MakeCurrent();
        int result = CudaApi.EventSynchronize(slot.Event);
        if (result != 0)
            throw Late(result, "cuEventSynchronize");
    }

    private void GiveBack(Slot slot)
    {
        lock (_reads)
            slot.IsTaken = false;
    }

    private sealed class Slot(nint memory, int bytes)
    {
        public nint Memory => memory;

        public int Bytes => bytes;

        public nint Event { get; set; }

        public bool IsTaken { get; set; }
    }

    private sealed class PinnedRead(CudaDriver driver, Slot slot, int bytes) : PendingRead
    {
        private bool _isDone, _isDisposed;

        public override bool IsDone
        {
            get
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _isDone = _isDone || driver.IsDone(slot);
            }
        }

        protected override ReadOnlySpan<byte> Bytes
        {
            get
            {
                ObjectDisposedException.ThrowIf(_isDisposed || driver._isDisposed, this);
                return new((void*)slot.Memory, bytes);
            }
        }

        public override void Wait()
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_isDone)
                driver.Wait(slot);
            _isDone = true;
        }

        public override void Dispose()
        {
            if (!_isDisposed)
                driver.GiveBack(slot);
            _isDisposed = true;
        }
    }
}
