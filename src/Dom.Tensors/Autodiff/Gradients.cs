using Dom.Tensors.Ops;

namespace Dom.Tensors.Autodiff;

/// <summary>The gradients of one backward pass. They live here and never on a tensor, so nothing leaks from an attack into training.</summary>
public sealed class Gradients
{
    private readonly Dictionary<Tensor, Tensor> _gradients = new(ReferenceEqualityComparer.Instance);
    private readonly IReadOnlyDictionary<Tensor, Tensor>? _into;
    private readonly HashSet<Tensor> _pending = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Tensor> _slotsGiven = new(ReferenceEqualityComparer.Instance);

    internal Gradients(IReadOnlyDictionary<Tensor, Tensor>? into) => _into = into;

    /// <summary>The gradient of a watched tensor; it belongs to the scope in which the backward pass ran.</summary>
    /// <exception cref="KeyNotFoundException">The tensor was not watched, or nothing computed depends on it.</exception>
    public Tensor this[Tensor tensor] => _gradients.TryGetValue(tensor, out var gradient) ? gradient
        : throw new KeyNotFoundException($"There is no gradient of {tensor}: it was not watched, or the output does not depend on it.");

    /// <summary>Whether there is a gradient of <paramref name="tensor"/>.</summary>
    public bool Contains(Tensor tensor) => _gradients.ContainsKey(tensor);

    /// <summary>Memory for a gradient of <paramref name="tensor"/>: the slot that was set aside for it, the first time, or a new tensor.</summary>
    public Tensor Allocate(Tensor tensor)
    {
        var gradient = _into is not null && _into.TryGetValue(tensor, out var slot) && _slotsGiven.Add(tensor)
            ? slot.Share()
            : Tensor.Persistent(tensor.Shape, tensor.Type, tensor.Backend, "gradient");
        _pending.Add(gradient);
        return gradient;
    }

    /// <summary>Adds a gradient that was written into memory from <see cref="Allocate"/>; this object now owns it.</summary>
    public void AddOwned(Tensor tensor, Tensor gradient)
    {
        _pending.Add(gradient);
        if (!_gradients.TryGetValue(tensor, out var sum))
        {
            Store(tensor, gradient);
            return;
        }
        // A residual add hands one buffer to both its inputs: only memory that nobody else holds may be added to in place,
        // or the slot of an arena, which only ever stands for this one tensor.
        if (sum.IsSoleOwner || IsSlot(tensor, sum))
        {
            tensor.Backend.Run(new Accumulate(gradient.Read, sum.ReadWrite));
            Discard(gradient);
            return;
        }
        if (gradient.IsSoleOwner)
        {
            tensor.Backend.Run(new Accumulate(sum.Read, gradient.ReadWrite));
            Store(tensor, gradient);
        }
        else
        {
            var total = Allocate(tensor);
            tensor.Backend.Run(new AddForward(sum.Read, gradient.Read, total.Write));
            Store(tensor, total);
            Discard(gradient);
        }
        sum.Dispose();
    }

    /// <summary>Adds a gradient whose memory others may hold too.</summary>
    public void Add(Tensor tensor, Tensor gradient) => AddOwned(tensor, gradient.Share());

    internal Tensor? Take(Tensor tensor) => _gradients.Remove(tensor, out var gradient) ? gradient : null;

    /// <summary>Gives all memory back after a backward pass that failed.</summary>
    internal void Release()
    {
        foreach (var gradient in _gradients.Values.Concat(_pending))
            gradient.Dispose();
        _gradients.Clear();
        _pending.Clear();
    }

    /// <summary>A slot that does not fit would be written past its end.</summary>
    internal void CheckSlots(List<Tensor> watched)
    {
        foreach (var tensor in watched)
            if (_into is not null && _into.TryGetValue(tensor, out var slot) && (slot.Shape != tensor.Shape || slot.Type != tensor.Type))
                throw new ShapeException($"gradient: the slot of {tensor} is {slot}; shape and type must agree.");
    }

    /// <summary>Keeps only the gradients of the watched tensors, puts them where they were asked for, and hands them to the scope.</summary>
    internal void Finish(List<Tensor> watched)
    {
        foreach (var (tensor, gradient) in _gradients.Where(pair => !watched.Contains(pair.Key)).ToArray())
        {
            gradient.Dispose();
            _gradients.Remove(tensor);
        }
        foreach (var tensor in watched)
        {
            if (_into is not null && _into.TryGetValue(tensor, out var slot))
                MoveInto(slot, tensor);
            if (_gradients.TryGetValue(tensor, out var gradient))
                TensorScope.Current?.Adopt(gradient);
        }
    }

    private void Store(Tensor tensor, Tensor gradient)
    {
        _gradients[tensor] = gradient;
        _pending.Remove(gradient);
    }

    private void Discard(Tensor gradient)
    {
        _pending.Remove(gradient);
        gradient.Dispose();
    }

    private bool IsSlot(Tensor tensor, Tensor gradient) =>
        _into is not null && _into.TryGetValue(tensor, out var slot) && slot.Read.Address == gradient.Read.Address;

    private void MoveInto(Tensor slot, Tensor tensor)
    {
        if (!_gradients.TryGetValue(tensor, out var gradient))
        {
            slot.Backend.Run(new Fill(slot.Write, 0));
            return;
        }
        if (IsSlot(tensor, gradient))
            return;
        slot.Backend.Run(new Copy(gradient.Read, slot.Write));
        gradient.Dispose();
        _gradients[tensor] = slot.Share();
    }
}
