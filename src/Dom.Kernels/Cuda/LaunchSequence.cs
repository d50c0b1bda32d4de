using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dom.Kernels.Cuda;

/// <summary>A launch but for the values of its arguments.</summary>
/// <param name="Kernel">What <see cref="IGpuDriver.Kernel"/> gave.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
/// <param name="FirstBytes">Length of the first argument: the call, or a plan in its place.</param>
/// <param name="SecondBytes">Length of the second, a plan; 0 where there is none.</param>
internal readonly unsafe record struct LaunchShape(nint Kernel, Dim3 Grid, int Threads, int SharedBytes, int FirstBytes, int SecondBytes)
{
    private const int Alignment = 16;

    public LaunchShape(nint kernel, Dim3 grid, int threads, int sharedBytes, ReadOnlySpan<int> argumentBytes)
        : this(kernel, grid, threads, sharedBytes, argumentBytes[0], argumentBytes.Length > 1 ? argumentBytes[1] : 0) =>
        Debug.Assert(argumentBytes.Length <= 2, "a kernel takes its call, or a plan, or both");

    /// <summary>Where the second argument lies behind the first.</summary>
    public int SecondAt => Aligned(FirstBytes);

    /// <summary>Bytes that both take.</summary>
    public int ArgumentBytes => SecondAt + Aligned(SecondBytes);

    /// <summary>Writes the addresses of both arguments, of which the first lies at <paramref name="start"/>.</summary>
    public void Address(byte* start, void** arguments)
    {
        arguments[0] = start;
        arguments[1] = start + SecondAt;
    }

    private static int Aligned(int bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

/// <summary>Launches in their order, with copies of their arguments.</summary>
internal sealed unsafe class LaunchSequence
{
    private readonly List<LaunchShape> _shapes = [];
    private byte[] _arguments = new byte[4096];
    private int _length;

    public int Count => _shapes.Count;

    public ReadOnlySpan<LaunchShape> Shapes => CollectionsMarshal.AsSpan(_shapes);

    /// <summary>The arguments of all launches, one behind the other; each launch has <see cref="LaunchShape.ArgumentBytes"/> of them.</summary>
    public ReadOnlySpan<byte> Arguments => _arguments.AsSpan(0, _length);

    public void Add(LaunchShape shape, void** arguments)
    {
        int bytes = shape.ArgumentBytes;
        if (_length + bytes > _arguments.Length)
            Array.Resize(ref _arguments, Math.Max(2 * _arguments.Length, _length + bytes));
        var copy = _arguments.AsSpan(_length, bytes);
        copy.Clear(); // also what lies between two arguments, for bytes are compared
        new ReadOnlySpan<byte>(arguments[0], shape.FirstBytes).CopyTo(copy);
        if (shape.SecondBytes > 0)
            new ReadOnlySpan<byte>(arguments[1], shape.SecondBytes).CopyTo(copy[shape.SecondAt..]);
        _length += bytes;
        _shapes.Add(shape);
    }

    public void Clear()
    {
        _shapes.Clear();
        _length = 0;
    }
}
