namespace Dom.Tensors;

/// <summary>
/// Owns the tensors that are made while it is the innermost scope of its thread, and releases them when it is disposed. One scope a training
/// step and one an attack iteration is all that a trainer needs. What the open tape saved is kept alive by the tape.
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? s_current;

    private readonly TensorScope? _outer;
    private readonly List<Tensor> _tensors = [];
    private bool _disposed;

    /// <summary>Opens a scope inside the current one.</summary>
    public TensorScope()
    {
        _outer = s_current;
        s_current = this;
    }

    /// <summary>The innermost open scope of this thread.</summary>
    public static TensorScope? Current => s_current;

    /// <summary>Hands a tensor to the outer scope, or to the caller where there is none; returns it.</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (_tensors.Remove(tensor))
            _outer?.Adopt(tensor);
        return tensor;
    }

    /// <summary>Makes the scope release the tensor.</summary>
    public void Adopt(Tensor tensor) => _tensors.Add(tensor);

    /// <summary>Releases the tensors, the last one first.</summary>
    /// <exception cref="InvalidOperationException">An inner scope is still open.</exception>
    public void Dispose()
    {
        if (_disposed)
            return;
        if (s_current != this)
            throw new InvalidOperationException("A tensor scope was closed before the scopes inside it, or on another thread.");
        _disposed = true;
        s_current = _outer;
        for (int i = _tensors.Count - 1; i >= 0; i--)
            _tensors[i].Dispose();
    }
}
