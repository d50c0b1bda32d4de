using Dom.Tensors.Backend;

namespace Dom.Train.Training;

/// <summary>The figures of a step that is queued and may not be done: on their way to the host. To be read once, or disposed.</summary>
public sealed class PendingFigures : IDisposable
{
    private readonly PendingRead _read;
    private readonly int _count, _maskAt;
    private readonly (int Selected, int Accepted, int Tries) _augmented;

    /// <summary>Figures of a step.</summary>
    /// <param name="read">Losses [N] and, from <paramref name="maskAt"/> on, DOM's mask [N].</param>
    /// <param name="position">The step.</param>
    /// <param name="count">N.</param>
    /// <param name="maskAt">Where the mask begins; 0 where there is none.</param>
    /// <param name="augmented">What DOM_DA did.</param>
    internal PendingFigures(PendingRead read, StepPosition position, int count, int maskAt, (int Selected, int Accepted, int Tries) augmented) =>
        (_read, Position, _count, _maskAt, _augmented) = (read, position, count, maskAt, augmented);

    /// <summary>The step.</summary>
    public StepPosition Position { get; }

    /// <summary>Whether <see cref="Read"/> returns without waiting for the device. Always, where the device works at once.</summary>
    public bool IsDone => _read.IsDone;

    /// <summary>Waits until the figures are on the host.</summary>
    public void Wait() => _read.Wait();

    /// <summary>The figures; waits for them.</summary>
    /// <exception cref="DivergedException">A loss is NaN or infinite: the step, and whatever was queued behind it, has moved no parameter.</exception>
    public StepFigures Read()
    {
        using var read = _read;
        float[] values = read.ToArray<float>(), losses = values[.._count];
        if (Array.Find(losses, loss => !float.IsFinite(loss)) is var bad && !float.IsFinite(bad))
            throw new DivergedException($"the loss became {bad} in epoch {Position.Epoch + 1}, step {Position.Step + 1}.");
        if (_maskAt == 0)
            return new StepFigures(losses, _count, _augmented.Selected, _augmented.Accepted, _augmented.Tries);
        int kept = values.Skip(_maskAt).Count(keep => keep != 0);
        return new StepFigures(losses, kept, Selected: _count - kept);
    }

    /// <inheritdoc/>
    public void Dispose() => _read.Dispose();
}
