using Dom.Tensors.Backend;

namespace Dom.Tensors.Autodiff;

/// <summary>
/// One operator that ran, as the tape remembers it. A subclass names in its fields what the backward pass needs and says in
/// <see cref="Backward"/> how the gradient of the output becomes gradients of the inputs.
/// </summary>
public abstract class Op
{
    private readonly Tensor[] _inputs;
    private readonly bool[] _needs;
    private readonly List<Tensor> _saved = [];

    /// <summary>Remembers the operator; call only where <see cref="Tape.Tracks"/> says that an input is tracked.</summary>
    protected Op(string name, Tensor output, params ReadOnlySpan<Tensor> inputs)
    {
        Name = name;
        Output = output;
        _inputs = inputs.ToArray();
        _needs = Array.ConvertAll(_inputs, input => Tape.Tracks(input));
    }

    /// <summary>The operator's name, as in error messages and profiles.</summary>
    public string Name { get; }

    /// <summary>What the operator made. Only its identity is used: its memory may be gone by then.</summary>
    internal Tensor Output { get; }

    /// <summary>The backend that runs the backward pass.</summary>
    protected IBackend Backend => Output.Backend;

    /// <summary>Whether the gradient of input <paramref name="index"/> was asked for, directly or on the way to another.</summary>
    protected bool Needs(int index) => _needs[index];

    /// <summary>Input <paramref name="index"/>, as a key for gradients.</summary>
    protected Tensor Input(int index) => _inputs[index];

    /// <summary>Keeps a tensor alive until the backward pass of this operator has run.</summary>
    protected Tensor Save(Tensor tensor)
    {
        var saved = tensor.Share();
        _saved.Add(saved);
        return saved;
    }

    /// <summary>Adds to <paramref name="gradients"/> what <paramref name="dy"/>, the gradient of the output, means for the inputs that are needed.</summary>
    protected internal abstract void Backward(Tensor dy, Gradients gradients);

    internal void ReleaseSaved()
    {
        foreach (var tensor in _saved)
            tensor.Dispose();
        _saved.Clear();
    }
}
