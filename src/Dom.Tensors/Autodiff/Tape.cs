namespace Dom.Tensors.Autodiff;

/// <summary>
/// Remembers, in order, the operators that depend on the watched tensors, and walks them backwards. What does not lead to a watched tensor is
/// not recorded, so an attack that watches only the input runs no weight-gradient kernel.
/// </summary>
/// <remarks>
/// The open tape is ambient per thread: <c>using var tape = new Tape(x); var loss = f(x); var dx = tape.Gradient(loss, seed)[x];</c>.
/// The order of accumulation is the reverse of the recording order, always: same inputs, same bits. Tapes nest: an operator is recorded on the
/// innermost one only, so what an attack computes under a tape of its own is a constant for the tape around it.
/// </remarks>
public sealed class Tape : IDisposable
{
    [ThreadStatic]
    private static Tape? s_current;

    private readonly Tape? _outer;
    private readonly List<Tensor> _watched;
    private readonly HashSet<Tensor> _tracked = new(ReferenceEqualityComparer.Instance);
    private readonly List<Op> _ops = [];
    private bool _walked, _disposed;

    /// <summary>Opens a tape that will give the gradients of <paramref name="watched"/>.</summary>
    public Tape(params ReadOnlySpan<Tensor> watched)
    {
        _watched = [.. watched];
        foreach (var tensor in _watched)
            _tracked.Add(tensor);
        _outer = s_current;
        s_current = this;
    }

    /// <summary>Number of operators recorded.</summary>
    public int Count => _ops.Count;

    /// <summary>Whether a tape is open on this thread and <paramref name="tensor"/> depends on what it watches.</summary>
    public static bool Tracks(Tensor tensor) => s_current is { } tape && tape._tracked.Contains(tensor);

    /// <summary>Asks for the gradient of one more tensor: of an intermediate result, before what follows is computed from it.</summary>
    public void Watch(Tensor tensor)
    {
        if (!_watched.Contains(tensor))
            _watched.Add(tensor);
        _tracked.Add(tensor);
    }

    /// <summary>Remembers an operator on the open tape; from now on its output is tracked.</summary>
    public static void Record(Op op)
    {
        var tape = s_current ?? throw new InvalidOperationException($"{op.Name}: no tape is open.");
        tape._ops.Add(op);
        tape._tracked.Add(op.Output);
    }

    /// <summary>
    /// Gradients of the watched tensors: the sum over the elements of <paramref name="output"/>, weighted by <paramref name="seed"/>, differentiated.
    /// Can be called once: what the operators saved is released as soon as their part is done.
    /// </summary>
    /// <param name="output">A tensor computed under this tape.</param>
    /// <param name="seed">The gradient of the objective with respect to <paramref name="output"/>, of its shape.</param>
    /// <param name="into">Where to put gradients of watched tensors (a slice of an arena); others get memory of their own.</param>
    /// <exception cref="ShapeException">The seed has another shape than the output, or a slot another shape or type than its tensor.</exception>
    /// <exception cref="InvalidOperationException">It was called before on this tape, or the tape is closed.</exception>
    public Gradients Gradient(Tensor output, Tensor seed, IReadOnlyDictionary<Tensor, Tensor>? into = null)
    {
        if (_walked || _disposed)
            throw new InvalidOperationException("A tape gives gradients once, while it is open: what its operators saved is gone. Record again.");
        if (seed.Shape != output.Shape)
            throw new ShapeException($"gradient: the seed is {seed.Shape}, the output {output.Shape}; they must agree.");
        var recording = s_current;
        s_current = null; // the backward pass is not recorded
        var gradients = new Gradients(into);
        try
        {
            gradients.CheckSlots(_watched);
            gradients.Add(output, seed);
            for (int i = _ops.Count - 1; i >= 0; i--)
                WalkBack(_ops[i], gradients);
            gradients.Finish(_watched);
            return gradients;
        }
        catch
        {
            gradients.Release();
            throw;
        }
        finally
        {
            _walked = true;
            _tracked.Clear(); // what is still computed under this tape is not recorded in vain
            ReleaseOps();
            s_current = recording;
        }
    }

    /// <summary>Closes the tape and releases what was saved.</summary>
    /// <exception cref="InvalidOperationException">An inner tape is still open.</exception>
    public void Dispose()
    {
        if (_disposed)
            return;
        if (s_current != this)
            throw new InvalidOperationException("A tape was closed before the tapes inside it, or on another thread.");
        _disposed = true;
        s_current = _outer;
        ReleaseOps();
    }

    private void WalkBack(Op op, Gradients gradients)
    {
        if (gradients.Take(op.Output) is { } dy)
        {
            using var temporaries = new TensorScope();
            try
            {
                op.Backward(dy, gradients);
            }
            catch
            {
                dy.Dispose();
                throw;
            }
            if (_watched.Contains(op.Output))
                gradients.AddOwned(op.Output, dy);
            else
                dy.Dispose();
        }
        op.ReleaseSaved();
    }

    private void ReleaseOps()
    {
        foreach (var op in _ops)
            op.ReleaseSaved();
        _ops.Clear();
    }
}
