using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Tensors;

/// <summary>
/// A handle on contiguous elements in the memory of a backend. Images are [N, H, W, C], matrices [rows, columns], outermost axis first.
/// </summary>
/// <remarks>
/// A tensor made by an operator belongs to the innermost <see cref="TensorScope"/>. Parameters, running statistics and the ledger are made by
/// <see cref="Persistent"/> and belong to whoever asked. Memory is counted by reference: several handles may share a block.
/// </remarks>
public sealed class Tensor : IDisposable
{
    private readonly long _byteOffset;
    private Storage? _storage;

    private Tensor(Storage storage, long byteOffset, Shape shape, DType type)
    {
        _storage = storage;
        _byteOffset = byteOffset;
        Shape = shape;
        Type = type;
        Backend = storage.Backend;
    }

    /// <summary>Sizes of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>How an element is stored.</summary>
    public DType Type { get; }

    /// <summary>The backend whose memory this is.</summary>
    public IBackend Backend { get; }

    /// <summary>Number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>Whether the tensor was disposed.</summary>
    public bool IsDisposed => _storage is null;

    /// <summary>The memory, for a kernel that reads it.</summary>
    public View Read => ViewWith(Access.Read);

    /// <summary>The memory, for a kernel that writes all of it.</summary>
    public View Write => ViewWith(Access.Write);

    /// <summary>The memory, for a kernel that updates it.</summary>
    public View ReadWrite => ViewWith(Access.ReadWrite);

    /// <summary>Whether no other handle shares the memory.</summary>
    internal bool IsSoleOwner => Owned().IsSoleOwner;

    /// <summary>A tensor with undefined contents that belongs to the innermost scope.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="type">Element type.</param>
    /// <param name="backend">Where it lives.</param>
    /// <param name="owner">The operator that makes it, for memory reports.</param>
    public static Tensor Empty(Shape shape, DType type, IBackend backend, string owner = "tensor")
    {
        var tensor = Persistent(shape, type, backend, owner);
        TensorScope.Current?.Adopt(tensor);
        return tensor;
    }

    /// <summary>A tensor with undefined contents that no scope owns: whoever makes it disposes it.</summary>
    public static Tensor Persistent(Shape shape, DType type, IBackend backend, string owner) =>
        new(new Storage(backend, (long)shape.Count * type.Size(), owner), 0, shape, type);

    /// <summary>A tensor that holds the given numbers, converted to <paramref name="type"/> (f32, bf16 or f64).</summary>
    public static Tensor From(ReadOnlySpan<float> values, Shape shape, IBackend backend, DType type = DType.F32)
    {
        var tensor = Empty(shape, type, backend);
        tensor.CopyFrom(values);
        return tensor;
    }

    /// <summary>A tensor that holds the given numbers, exactly if <paramref name="type"/> is f64.</summary>
    public static Tensor From(ReadOnlySpan<double> values, Shape shape, IBackend backend, DType type = DType.F64)
    {
        var tensor = Empty(shape, type, backend);
        tensor.CopyFrom(values);
        return tensor;
    }

    /// <summary>A tensor of integers: labels, sample ids, row numbers.</summary>
    public static Tensor From(ReadOnlySpan<int> values, IBackend backend)
    {
        var tensor = Empty(Shape.Of(values.Length), DType.I32, backend);
        backend.CopyFromHost(MemoryMarshal.AsBytes(values), tensor.Write);
        return tensor;
    }

    /// <summary>Overwrites the elements with the given numbers.</summary>
    /// <exception cref="ShapeException">Their number differs from the number of elements, or the elements are integers.</exception>
    public void CopyFrom(ReadOnlySpan<float> values)
    {
        ThrowUnlessCount(values.Length);
        switch (Type)
        {
            case DType.F32:
                Backend.CopyFromHost(MemoryMarshal.AsBytes(values), Write);
                break;
            case DType.BF16:
                Upload(values, BFloat16.FromSingle);
                break;
            case DType.F64:
                Upload(values, v => (double)v);
                break;
            default:
                throw NotReal();
        }
    }

    /// <summary>Overwrites the elements with the given numbers, rounded to the nearest f32 (and on to bf16) unless the tensor is f64.</summary>
    /// <exception cref="ShapeException">Their number differs from the number of elements, or the elements are integers.</exception>
    public void CopyFrom(ReadOnlySpan<double> values)
    {
        ThrowUnlessCount(values.Length);
        switch (Type)
        {
            case DType.F32:
                Upload(values, v => (float)v);
                break;
            case DType.BF16:
                Upload(values, v => BFloat16.FromSingle((float)v));
                break;
            case DType.F64:
                Backend.CopyFromHost(MemoryMarshal.AsBytes(values), Write);
                break;
            default:
                throw NotReal();
        }
    }

    /// <summary>The elements as raw values of the stored type: <c>float</c>, <c>BFloat16</c>, <c>double</c>, <c>int</c> or <c>byte</c>.</summary>
    /// <exception cref="ShapeException"><typeparamref name="T"/> is not as wide as the stored type.</exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() != Type.Size())
            throw new ShapeException($"elements of type {Type} cannot be read as {typeof(T).Name}.");
        var values = new T[Count];
        Backend.CopyToHost(Read, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>
    /// Starts to bring the elements to the host behind what is queued, for whoever has something else to do until they are there. The tensor may be overwritten or
    /// disposed right away.
    /// </summary>
    /// <returns>Asks, waits and reads; to be disposed.</returns>
    public PendingRead BeginRead() => Backend.BeginCopyToHost(Read);

    /// <summary>The elements as f32 numbers, whatever the stored type.</summary>
    public float[] ToFloats() => Type switch
    {
        DType.F32 => ToArray<float>(),
        DType.BF16 => Array.ConvertAll(ToArray<BFloat16>(), b => b.ToSingle()),
        DType.F64 => Array.ConvertAll(ToArray<double>(), d => (float)d),
        DType.I32 => Array.ConvertAll(ToArray<int>(), i => (float)i),
        _ => Array.ConvertAll(ToArray<byte>(), b => (float)b),
    };

    /// <summary>The elements as f64 numbers, exactly, whatever the stored type.</summary>
    public double[] ToDoubles()
    {
        var bytes = new byte[checked((int)Read.Bytes)];
        Backend.CopyToHost(Read, bytes);
        return HostElements.ToDoubles(bytes, Type);
    }

    /// <summary>Another handle on the same memory that no scope owns.</summary>
    public Tensor Share() => new(Owned().Retain(), _byteOffset, Shape, Type);

    /// <summary>Another handle on the same elements under another shape; not recorded on a tape (see <see cref="Ops.Reshape"/>).</summary>
    /// <exception cref="ShapeException">The number of elements differs.</exception>
    public Tensor As(Shape shape)
    {
        if (shape.Count != Count)
            throw new ShapeException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}.");
        return Scoped(new Tensor(Owned().Retain(), _byteOffset, shape, Type));
    }

    /// <summary>A handle on rows <paramref name="start"/> .. start + count - 1 of the outermost axis.</summary>
    /// <exception cref="ShapeException">The rows are not all there.</exception>
    public Tensor Rows(int start, int count)
    {
        if (Shape.Rank == 0 || start < 0 || count < 0 || (long)start + count > Shape[0])
            throw new ShapeException($"rows {start} .. {(long)start + count - 1} of {Shape} are not all there.");
        var sizes = Shape.ToArray();
        long rowBytes = Shape[0] == 0 ? 0 : (long)Count / Shape[0] * Type.Size();
        sizes[0] = count;
        return Scoped(new Tensor(Owned().Retain(), _byteOffset + start * rowBytes, Shape.Of(sizes), Type));
    }

    /// <summary>Lets go of the memory. Doing so twice does no harm.</summary>
    public void Dispose()
    {
        _storage?.Release();
        _storage = null;
    }

    /// <summary>"f32 [2, 3] on cpu".</summary>
    public override string ToString() => $"{Type.ToString().ToLowerInvariant()} {Shape} on {Backend.Name}{(IsDisposed ? " (disposed)" : "")}";

    private static Tensor Scoped(Tensor tensor)
    {
        TensorScope.Current?.Adopt(tensor);
        return tensor;
    }

    private void ThrowUnlessCount(int values)
    {
        if (values != Count)
            throw new ShapeException($"{Count} elements are needed for {Shape}, got {values}.");
    }

    private ShapeException NotReal() => new($"real numbers cannot be copied into elements of type {Type}.");

    private void Upload<TFrom, TTo>(ReadOnlySpan<TFrom> values, Func<TFrom, TTo> convert) where TTo : unmanaged
    {
        var converted = new TTo[values.Length];
        for (int i = 0; i < converted.Length; i++)
            converted[i] = convert(values[i]);
        Backend.CopyFromHost(MemoryMarshal.AsBytes(converted.AsSpan()), Write);
    }

    private Storage Owned() => _storage ?? throw new ObjectDisposedException(
        nameof(Tensor), $"A tensor {Shape} was used after it was disposed; if its scope has ended, keep it with TensorScope.Keep.");

    private View ViewWith(Access access) => new((nint)(Owned().Address + _byteOffset), Count, Type, access);
}
