using System.Runtime.InteropServices;

namespace Dom.Tensors.Backend;

/// <summary>
/// A copy to the host that was asked for and may still be under way. It holds the elements as they were when it was asked for: what is queued behind it may
/// overwrite their memory or give it back.
/// </summary>
/// <remarks>Belongs to one thread. Whoever no longer wants it disposes it, read or not.</remarks>
public abstract class PendingRead : IDisposable
{
    /// <summary>Whether the elements are on the host, so that nobody who reads them waits. Asks and does not wait.</summary>
    /// <exception cref="DeviceException">Something that was queued before has failed.</exception>
    public abstract bool IsDone { get; }

    /// <summary>Returns when the elements are on the host. What is queued behind the copy need not have finished.</summary>
    /// <exception cref="DeviceException">Something that was queued before has failed.</exception>
    public abstract void Wait();

    /// <summary>The elements as raw values of the stored type; waits for them.</summary>
    /// <exception cref="DeviceException">Something that was queued before has failed.</exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        Wait();
        return MemoryMarshal.Cast<byte, T>(Bytes).ToArray();
    }

    /// <summary>Gives the host's memory back; the elements cannot be read any more.</summary>
    public abstract void Dispose();

    /// <summary>A read of a backend whose copies are there when they return.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="source">The elements.</param>
    public static PendingRead AtOnce(IBackend backend, View source)
    {
        ArgumentNullException.ThrowIfNull(backend);
        var bytes = new byte[checked((int)source.Bytes)];
        backend.CopyToHost(source, bytes);
        return new FinishedRead(bytes);
    }

    /// <summary>A read that is done, of bytes that are there; they are copied.</summary>
    public static PendingRead Of(ReadOnlySpan<byte> bytes) => new FinishedRead(bytes.ToArray());

    /// <summary>The bytes, once they are there.</summary>
    protected abstract ReadOnlySpan<byte> Bytes { get; }

    private sealed class FinishedRead(byte[] bytes) : PendingRead
    {
        public override bool IsDone => true;

        protected override ReadOnlySpan<byte> Bytes => bytes;

        public override void Wait()
        {
            // It was there from the beginning.
        }

        public override void Dispose()
        {
            // The garbage collector's.
        }
    }
}
