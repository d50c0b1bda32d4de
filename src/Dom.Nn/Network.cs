using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Nn;

/// <summary>
/// A module with memory on a backend: one arena that holds all parameters, one for their gradients, and the running statistics. The input is
/// pixels in 0..1; the normalization is the first operator inside, so attacks live in pixel space and cannot get it wrong. From the first pass in bf16 on
/// there is a third arena: the parameters rounded to bf16.
/// </summary>
public sealed class Network : IDisposable
{
    private const int Alignment = 16; // elements: every parameter starts on a cache line of its own, and on 32 bytes in the bf16 copy

    private readonly Module _module;
    private readonly Tensor? _mean, _std;
    private readonly Dictionary<Tensor, Tensor> _gradientSlots = new(ReferenceEqualityComparer.Instance);
    private Tensor? _roundedArena;

    /// <summary>Gives the module memory and its first values.</summary>
    /// <param name="module">The module; it must not be in another network.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="seed">Seed of the first values: parameter number i draws from stream (seed, Initialization, step i).</param>
    /// <param name="normalization">Mean and standard deviation per channel of pixels in 0..1, or null for none.</param>
    public Network(Module module, IBackend backend, ulong seed, (float[] Mean, float[] Std)? normalization = null)
    {
        _module = module;
        Backend = backend;
        Parameters = module.NamedParameters().ToArray();
        Buffers = module.NamedBuffers().ToArray();
        int total = Parameters.Sum(p => Aligned(p.Parameter.Shape.Count));
        Arena = Tensor.Persistent(Shape.Of(total), DType.F32, backend, "parameters");
        GradientArena = Tensor.Persistent(Shape.Of(total), DType.F32, backend, "gradients");
        backend.Run(new Fill(Arena.Write, 0)); // the gaps between parameters are zero and stay zero
        backend.Run(new Fill(GradientArena.Write, 0));
        // Drawn piece by piece: arrays as large as the weights would stay in the garbage collector's heap for the whole run.
        var piece = new float[8192];
        int start = 0;
        for (int i = 0; i < Parameters.Count; i++)
        {
            var parameter = Parameters[i].Parameter;
            parameter.Value = Slice(Arena, start, parameter.Shape);
            _gradientSlots.Add(parameter.Value, Slice(GradientArena, start, parameter.Shape));
            var stream = RandomStream.For(seed, RandomPurpose.Initialization, step: i);
            for (int first = 0; first < parameter.Shape.Count; first += piece.Length)
            {
                var values = piece.AsSpan(0, Math.Min(piece.Length, parameter.Shape.Count - first));
                parameter.Initialization.Draw(values, stream, first);
                using var target = Slice(Arena, start + first, Shape.Of(values.Length));
                target.CopyFrom(values);
            }
            start += Aligned(parameter.Shape.Count);
        }
        foreach (var (_, buffer) in Buffers)
        {
            buffer.Value = Tensor.Persistent(buffer.Shape, DType.F32, backend, "running statistics");
            backend.Run(new Fill(buffer.Value.Write, buffer.Initial));
        }
        if (normalization is not { } n)
            return;
        _mean = Constant(n.Mean);
        _std = Constant(n.Std);
    }

    /// <summary>Where the network computes.</summary>
    public IBackend Backend { get; }

    /// <summary>The parameters by name, in order of declaration.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>The running statistics by name.</summary>
    public IReadOnlyList<(string Name, StateBuffer Buffer)> Buffers { get; }

    /// <summary>All parameters, one after the other, each on a 64-byte boundary; gaps are zero.</summary>
    public Tensor Arena { get; }

    /// <summary>The gradients of all parameters, laid out like <see cref="Arena"/>.</summary>
    public Tensor GradientArena { get; }

    /// <summary>For a tape: which slice of <see cref="GradientArena"/> takes the gradient of which parameter.</summary>
    public IReadOnlyDictionary<Tensor, Tensor> GradientSlots => _gradientSlots;

    /// <summary>The parameters as tensors, to be watched by a tape.</summary>
    public Tensor[] ParameterTensors => Parameters.Select(p => p.Parameter.Value).ToArray();

    /// <summary>Number of learned numbers.</summary>
    public int ParameterCount => Parameters.Sum(p => p.Parameter.Shape.Count);

    /// <summary>Logits [N, classes] in f32 of pixels [N, H, W, C] in 0..1.</summary>
    public Tensor Apply(Tensor pixels, Pass pass)
    {
        // What the tape does not hold goes back as soon as the logits are there; what it holds, as its backward pass goes by.
        using var scope = new TensorScope();
        var x = _mean is null ? pixels : Normalize.Apply(pixels, _mean, _std!);
        if (pass.Precision == Precision.BF16)
        {
            RoundParameters();
            x = Cast.Apply(x, DType.BF16);
        }
        var logits = _module.Apply(x, pass);
        return scope.Keep(logits.Type == DType.BF16 ? Cast.Apply(logits, DType.F32) : logits);
    }

    /// <summary>
    /// Promises that no parameter changes until the result is disposed: the passes of an attack or of an evaluation then share what the backend derives from
    /// them. Null where it keeps nothing.
    /// </summary>
    public IDisposable? HoldParameters() => Backend.HoldConstant(Arena.Read);

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        foreach (var (_, parameter) in Parameters)
        {
            parameter.Value.Dispose();
            if (_roundedArena is not null)
                parameter.Rounded.Dispose();
        }
        foreach (var slot in _gradientSlots.Values)
            slot.Dispose();
        foreach (var (_, buffer) in Buffers)
            buffer.Value.Dispose();
        Arena.Dispose();
        GradientArena.Dispose();
        _roundedArena?.Dispose();
        _mean?.Dispose();
        _std?.Dispose();
    }

    /// <summary>
    /// Brings the bf16 copy of all parameters up to date, in one call. Every pass does so: whether an optimizer, a checkpoint or somebody's hand has
    /// changed the arena since the last one is not known here, and the call is small beside a forward pass.
    /// </summary>
    private void RoundParameters()
    {
        if (_roundedArena is null)
        {
            _roundedArena = Tensor.Persistent(Arena.Shape, DType.BF16, Backend, "bf16 parameters");
            int start = 0;
            foreach (var (_, parameter) in Parameters)
            {
                parameter.Rounded = Slice(_roundedArena, start, parameter.Shape);
                start += Aligned(parameter.Shape.Count);
            }
        }
        Backend.Run(new Cast(Arena.Read, _roundedArena.Write));
    }

    private static int Aligned(int count) => (count + Alignment - 1) / Alignment * Alignment;

    private static Tensor Slice(Tensor arena, int start, Shape shape)
    {
        using var scope = new TensorScope();
        return arena.Rows(start, shape.Count).As(shape).Share();
    }

    private Tensor Constant(float[] values)
    {
        var tensor = Tensor.Persistent(Shape.Of(values.Length), DType.F32, Backend, "normalization");
        tensor.CopyFrom(values);
        return tensor;
    }
}
