using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Measurement;

namespace Dom.Bench;

/// <summary>The passes of a convolution.</summary>
public enum Conv2dPass
{
    /// <summary>y from x and weights.</summary>
    Forward,

    /// <summary>dx from dy and weights.</summary>
    InputGradient,

    /// <summary>dweight from x and dy.</summary>
    WeightGradient,
}

/// <summary>A convolution whose operands lie ready: random numbers in memory that was touched before.</summary>
/// <remarks>
/// Results have memory of their own: operands stay as they are, so a pass computes the same numbers in every call, none
/// of them huge or tiny.
/// </remarks>
internal sealed unsafe class Conv2dCase : IDisposable
{
    private readonly CpuBackend _memory = new(threads: 1); // operands lie where tensors would
    private readonly List<nint> _operands = [];
    private readonly View _dy, _dx, _dweight;

    public Conv2dCase(Conv2dSizes sizes)
    {
        Sizes = sizes;
        int inputs = sizes.Batch * sizes.Height * sizes.Width * sizes.Inputs;
        int weights = sizes.Outputs * sizes.KernelHeight * sizes.KernelWidth * sizes.Inputs;
        int outputs = sizes.Batch * sizes.OutputHeight * sizes.OutputWidth * sizes.Outputs;
        (X, Weight, _dy) = (Random(inputs), Random(weights), Random(outputs));
        (_dx, _dweight, Y) = (Random(inputs), Random(weights), Random(outputs));
    }

    /// <summary>
    /// The 3x3 stride-1 convolutions of PreActResNet-18 at batch 128, then its others, then those of a small network.
    /// </summary>
    public static Conv2dSizes[] Shapes { get; } =
    [
        Square(32, 64, 64), Square(16, 128, 128), Square(8, 256, 256), Square(4, 512, 512),
        Square(32, 64, 128, stride: 2), Square(16, 128, 256, stride: 2), Square(8, 256, 512, stride: 2),
        Square(32, 64, 128, kernel: 1, stride: 2), Square(16, 128, 256, kernel: 1, stride: 2), Square(8, 256, 512, kernel: 1, stride: 2),
        Square(32, 3, 64),
        Square(16, 3, 16), Square(16, 16, 16), Square(16, 16, 32, stride: 2), Square(8, 32, 32), Square(8, 32, 64, stride: 2), Square(4, 64, 64),
        Square(16, 64, 64),
    ];

    /// <summary>
    /// Every convolution of the two large networks, each once; the wide one at a quarter of the batch, for it is slow.
    /// </summary>
    public static (string Network, Conv2dSizes Sizes)[] Networks { get; } =
    [
        .. Shapes[..11].Select(sizes => ("PreActResNet-18", sizes)),
        .. new[]
        {
            Square(32, 160, 160, batch: 32), Square(16, 320, 320, batch: 32), Square(8, 640, 640, batch: 32),
            Square(32, 160, 320, stride: 2, batch: 32), Square(16, 320, 640, stride: 2, batch: 32),
            Square(32, 16, 160, kernel: 1, batch: 32),
            Square(32, 160, 320, kernel: 1, stride: 2, batch: 32), Square(16, 320, 640, kernel: 1, stride: 2, batch: 32),
            Square(32, 16, 160, batch: 32), Square(32, 3, 16, batch: 32),
        }.Select(sizes => ("WideResNet-34-10", sizes)),
    ];

    public Conv2dSizes Sizes { get; }

    public View X { get; }

    public View Weight { get; }

    public View Y { get; }

    /// <summary>"64->128 @32 3x3 /2".</summary>
    public static string Name(Conv2dSizes sizes) => CallWork.NameOf(sizes);

    public void Run(CpuBackend backend, Conv2dPass pass)
    {
        if (pass == Conv2dPass.Forward)
            backend.Run(new Conv2dForward(X, Weight, Y, Sizes));
        else if (pass == Conv2dPass.InputGradient)
            backend.Run(new Conv2dInputGradient(_dy, Weight, _dx, Sizes));
        else
            backend.Run(new Conv2dWeightGradient(X, _dy, _dweight, Sizes));
    }

    public void Dispose()
    {
        foreach (nint address in _operands)
            _memory.Memory.Free(address);
        _operands.Clear();
        _memory.Dispose();
    }

    public static Conv2dSizes Square(int size, int inputs, int outputs, int kernel = 3, int stride = 1, int batch = 128) =>
        new(batch, size, size, inputs, outputs, kernel, kernel, stride, kernel / 2);

    private View Random(int count)
    {
        nint address = _memory.Memory.Allocate(count * sizeof(float), "operand");
        _operands.Add(address);
        uint state = (uint)_operands.Count; // each operand its own numbers
        foreach (ref float value in new Span<float>((void*)address, count))
        {
            state = state * 1664525 + 1013904223;
            value = (state >> 8) * (2f / (1 << 24)) - 1;
        }
        return new View(address, count, DType.F32, Access.ReadWrite);
    }
}
