using Dom.Tensors;

namespace Dom.Nn;

/// <summary>How a parameter gets its first values.</summary>
public enum InitializationKind
{
    /// <summary>One value everywhere.</summary>
    Constant,

    /// <summary>Uniform in [-scale, scale).</summary>
    Uniform,

    /// <summary>Normal with mean 0 and standard deviation scale.</summary>
    Normal,
}

/// <summary>How a parameter gets its first values.</summary>
/// <param name="Kind">The distribution.</param>
/// <param name="Scale">The value, the bound or the standard deviation.</param>
public readonly record struct Initialization(InitializationKind Kind, float Scale)
{
    /// <summary>All zeros.</summary>
    public static Initialization Zeros => new(InitializationKind.Constant, 0);

    /// <summary>All ones.</summary>
    public static Initialization Ones => new(InitializationKind.Constant, 1);

    /// <summary>PyTorch's default for the weights and biases of convolutions and linear layers: uniform within 1 / sqrt(fan in).</summary>
    public static Initialization PyTorchDefault(int fanIn) => new(InitializationKind.Uniform, 1 / MathF.Sqrt(fanIn));

    /// <summary>Normal with standard deviation sqrt(2 / (kernel area x output channels)), as WideResNet does (He et al. 2015, fan out).</summary>
    public static Initialization HeFanOut(int kernelArea, int outputs) => new(InitializationKind.Normal, MathF.Sqrt(2f / (kernelArea * outputs)));

    /// <summary>The values of a parameter from its element <paramref name="first"/> on: each a pure function of the stream and its number.</summary>
    public void Draw(Span<float> values, RandomStream stream, int first = 0)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = Kind switch
            {
                InitializationKind.Constant => Scale,
                InitializationKind.Uniform => Scale * (2 * stream.Uniform(first + i) - 1),
                _ => Scale * stream.Normal(first + i),
            };
    }
}

/// <summary>How the axes of a parameter in memory correspond to those in a PyTorch state dictionary.</summary>
public enum FileLayout
{
    /// <summary>The same.</summary>
    AsIs,

    /// <summary>Memory [K, R, S, C], file [K, C, R, S] (OIHW): convolution weights.</summary>
    ChannelsSecond,

    /// <summary>Memory [K, P C], file [K, C P]: weights of a linear layer behind a flattened feature map of P pixels.</summary>
    FlattenedMap,
}

/// <summary>A learned tensor: a slice of its network's parameter arena, f32. In mixed precision it is the master copy that the optimizer moves.</summary>
/// <param name="shape">Shape in memory.</param>
/// <param name="initialization">First values.</param>
/// <param name="layout">How it is laid out in files.</param>
/// <param name="positions">The pixels P of a <see cref="FileLayout.FlattenedMap"/>.</param>
public sealed class Parameter(Shape shape, Initialization initialization, FileLayout layout = FileLayout.AsIs, int positions = 1)
{
    private Tensor? _value, _rounded;

    /// <summary>Shape in memory.</summary>
    public Shape Shape { get; } = shape;

    /// <summary>First values.</summary>
    public Initialization Initialization { get; } = initialization;

    /// <summary>How it is laid out in files.</summary>
    public FileLayout Layout { get; } = layout;

    /// <summary>The pixels P of a <see cref="FileLayout.FlattenedMap"/>.</summary>
    public int Positions { get; } = positions;

    /// <summary>The values.</summary>
    /// <exception cref="InvalidOperationException">The module has not been put into a <see cref="Network"/>, which gives it memory.</exception>
    public Tensor Value
    {
        get => _value ?? throw new InvalidOperationException("A parameter has no memory before its module is put into a Network.");
        internal set => _value = value;
    }

    /// <summary>The values rounded to bf16, which kernels read in a pass of <see cref="Precision.BF16"/>: as they were at the start of the last such pass.</summary>
    /// <exception cref="InvalidOperationException">The network has not been applied in bf16 yet: there is no such copy.</exception>
    public Tensor Rounded
    {
        get => _rounded ?? throw new InvalidOperationException("A parameter has no bf16 copy before its Network is applied with Precision.BF16.");
        internal set => _rounded = value;
    }
}

/// <summary>Persistent state that is not learned by gradient: running statistics. f32.</summary>
/// <param name="shape">Its shape.</param>
/// <param name="initial">First value of every element.</param>
public sealed class StateBuffer(Shape shape, float initial)
{
    private Tensor? _value;

    /// <summary>Its shape.</summary>
    public Shape Shape { get; } = shape;

    /// <summary>First value of every element.</summary>
    public float Initial { get; } = initial;

    /// <summary>The values.</summary>
    /// <exception cref="InvalidOperationException">The module has not been put into a <see cref="Network"/>, which gives it memory.</exception>
    public Tensor Value
    {
        get => _value ?? throw new InvalidOperationException("A buffer has no memory before its module is put into a Network.");
        internal set => _value = value;
    }
}
