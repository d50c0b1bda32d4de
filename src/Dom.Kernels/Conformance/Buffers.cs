using System.Runtime.InteropServices;
using Dom.Kernels.Cuda;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>
/// The arguments of one kernel call under test. A case asks for buffers in a fixed order and gets, on every backend, the same contents; each
/// buffer lies between sentinels, and outputs are filled with a pattern (NaN) that must be gone afterwards.
/// </summary>
public sealed class Buffers : IDisposable
{
    private const int Guard = 256;
    private const byte GuardByte = 0xA5, OutputByte = 0xFF;

    private readonly IBackend _backend;
    private readonly bool _inDouble;
    private readonly List<Buffer> _buffers = [];

    /// <summary>Buffers in the memory of <paramref name="backend"/>.</summary>
    /// <param name="backend">Where the call will run.</param>
    /// <param name="type">Type of the activations of the case: f32 or bf16.</param>
    /// <param name="inDouble">Whether real numbers are held in f64 (after rounding to their type): for the reference.</param>
    internal Buffers(IBackend backend, DType type, bool inDouble) => (_backend, Type, _inDouble) = (backend, type, inDouble);

    /// <summary>Type of the activations of the case.</summary>
    public DType Type { get; }

    /// <summary>The buffers so far, in the order in which the case asked for them.</summary>
    internal IReadOnlyList<Buffer> All => _buffers;

    /// <summary>Activations, uniform in [low, high).</summary>
    public View Random(int count, float low = -1, float high = 1, Access access = Access.Read) => Floats(Draw(count, low, high), Type, access);

    /// <summary>Parameters or statistics (f32 even where activations are bf16), uniform in [low, high).</summary>
    public View Parameters(int count, float low = -1, float high = 1, Access access = Access.Read) =>
        Floats(Draw(count, low, high), Type.Accumulator(), access);

    /// <summary>Given activations.</summary>
    public View Values(float[] values, Access access = Access.Read) => Floats(values, Type, access);

    /// <summary>Given parameters, f32.</summary>
    public View ParameterValues(float[] values, Access access = Access.Read) => Floats(values, DType.F32, access);

    /// <summary>Integers uniform in 0 .. <paramref name="below"/> - 1.</summary>
    public View Integers(int count, int below)
    {
        var stream = Stream();
        return Integers(Enumerable.Range(0, count).Select(i => stream.Below(i, below)).ToArray());
    }

    /// <summary>Given integers.</summary>
    public View Integers(int[] values) => Add(MemoryMarshal.AsBytes(values.AsSpan()), DType.I32, values.Length, Access.Read);

    /// <summary>Bytes uniform in 0..255.</summary>
    public View Bytes(int count)
    {
        var stream = Stream();
        return Add(Enumerable.Range(0, count).Select(i => (byte)stream.Below(i, 256)).ToArray(), DType.U8, count, Access.Read);
    }

    /// <summary>Activations that the call must write, every one.</summary>
    public View Output(int count) => Empty(count, Real(Type));

    /// <summary>Statistics, losses or parameter gradients (f32) that the call must write, every one.</summary>
    public View ParameterOutput(int count) => Empty(count, Real(Type.Accumulator()));

    /// <summary>Given numbers in elements of exactly <paramref name="type"/>, on the reference too: for casts, where the rounding is the point.</summary>
    public View ValuesOf(DType type, float[] values) => type switch
    {
        DType.BF16 => Add(MemoryMarshal.AsBytes(Array.ConvertAll(values, BFloat16.FromSingle).AsSpan()), type, values.Length, Access.Read),
        DType.F32 => Add(MemoryMarshal.AsBytes(values.AsSpan()), type, values.Length, Access.Read),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "f32 or bf16."),
    };

    /// <summary>Elements of exactly <paramref name="type"/>, on the reference too, that the call must write.</summary>
    public View OutputOf(DType type, int count) => Empty(count, type);

    /// <summary>Integers that the call must write.</summary>
    public View IntegerOutput(int count) => Empty(count, DType.I32);

    /// <summary>Bytes that the call must write.</summary>
    public View ByteOutput(int count) => Empty(count, DType.U8);

    /// <summary>Lets no kernel touch the sentinels, on a backend that can see to it: a read leaves no trace that could be found later.</summary>
    internal void ForbidSentinels() => Fence(isForbidden: true);

    /// <summary>Ends <see cref="ForbidSentinels"/>: the host looks at them.</summary>
    internal void AllowSentinels() => Fence(isForbidden: false);

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        AllowSentinels();
        foreach (var buffer in _buffers)
            _backend.Memory.Free(buffer.Block);
        _buffers.Clear();
    }

    /// <summary>The contents of a buffer as f64.</summary>
    internal double[] Contents(int index)
    {
        var view = _buffers[index].View;
        var bytes = RawContents(index);
        return view.Type switch
        {
            DType.F32 => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), v => (double)v),
            DType.F64 => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
            DType.BF16 => Array.ConvertAll(MemoryMarshal.Cast<byte, BFloat16>(bytes).ToArray(), v => (double)v.ToSingle()),
            DType.I32 => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), v => (double)v),
            _ => Array.ConvertAll(bytes, v => (double)v),
        };
    }

    /// <summary>The bytes of a buffer.</summary>
    internal byte[] RawContents(int index) => Guarded(index).AsSpan(Guard, (int)_buffers[index].View.Bytes).ToArray();

    /// <summary>Number of the first buffer with a damaged sentinel or a changed input, or -1.</summary>
    internal int FirstDamaged(out string damage)
    {
        for (int i = 0; i < _buffers.Count; i++)
        {
            var bytes = Guarded(i);
            int length = (int)_buffers[i].View.Bytes;
            damage = bytes.AsSpan(0, Guard).ContainsAnyExcept(GuardByte) ? "bytes before it were overwritten"
                : bytes.AsSpan(Guard + length).ContainsAnyExcept(GuardByte) ? "bytes after it were overwritten"
                : _buffers[i].View.Access == Access.Read && !bytes.AsSpan(Guard, length).SequenceEqual(_buffers[i].Initial) ? "an input was changed"
                : "";
            if (damage.Length > 0)
                return i;
        }
        damage = "";
        return -1;
    }

    private void Fence(bool isForbidden)
    {
        if (_backend is not CudaBackend backend)
            return;
        foreach (var buffer in _buffers)
        {
            backend.Fence(buffer.Block, Guard, isForbidden);
            backend.Fence(buffer.Block + Guard + buffer.Initial.Length, Guard, isForbidden);
        }
    }

    private RandomStream Stream() => RandomStream.For(2024, RandomPurpose.Test, step: _buffers.Count);

    private float[] Draw(int count, float low, float high)
    {
        var stream = Stream();
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = low + (high - low) * stream.Uniform(i);
        return values;
    }

    private DType Real(DType type) => _inDouble ? DType.F64 : type;

    private View Floats(float[] values, DType type, Access access)
    {
        if (type == DType.BF16)
            values = Array.ConvertAll(values, v => BFloat16.FromSingle(v).ToSingle());
        return Real(type) switch
        {
            DType.F64 => Add(MemoryMarshal.AsBytes(Array.ConvertAll(values, v => (double)v).AsSpan()), DType.F64, values.Length, access),
            DType.BF16 => Add(MemoryMarshal.AsBytes(Array.ConvertAll(values, BFloat16.FromSingle).AsSpan()), DType.BF16, values.Length, access),
            _ => Add(MemoryMarshal.AsBytes(values.AsSpan()), DType.F32, values.Length, access),
        };
    }

    private View Empty(int count, DType type)
    {
        var pattern = new byte[count * type.Size()];
        pattern.AsSpan().Fill(OutputByte);
        return Add(pattern, type, count, Access.Write);
    }

    private View Add(ReadOnlySpan<byte> contents, DType type, int count, Access access)
    {
        var bytes = new byte[contents.Length + 2 * Guard];
        bytes.AsSpan().Fill(GuardByte);
        contents.CopyTo(bytes.AsSpan(Guard));
        nint block = _backend.Memory.Allocate(bytes.Length, "conformance");
        _backend.CopyFromHost(bytes, new View(block, bytes.Length, DType.U8, Access.Write));
        var view = new View(block + Guard, count, type, access);
        _buffers.Add(new Buffer(block, view, contents.ToArray()));
        return view;
    }

    private byte[] Guarded(int index)
    {
        var buffer = _buffers[index];
        var bytes = new byte[buffer.Initial.Length + 2 * Guard];
        _backend.CopyToHost(new View(buffer.Block, bytes.Length, DType.U8, Access.Read), bytes);
        return bytes;
    }

    internal sealed record Buffer(nint Block, View View, byte[] Initial);
}
