namespace Dom.Train.Training;

/// <summary>The figures of one training step: a line of <c>steps.jsonl</c>.</summary>
public sealed record StepMetrics
{
    /// <summary>The epoch, counted from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The step in its epoch, counted from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Mean loss, in nats, of the images that were trained on, before the parameters moved.</summary>
    public required double Loss { get; init; }

    /// <summary>Images that counted in the gradient.</summary>
    public required int Kept { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }
}
