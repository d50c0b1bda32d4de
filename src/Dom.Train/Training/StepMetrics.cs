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

    /// <summary>Images that DOM_DA picked, because their natural loss was small; absent unless it augments.</summary>
    public int? Selected { get; init; }

    /// <summary>Of those, images of which an augmented one had a loss that is large enough.</summary>
    public int? Accepted { get; init; }

    /// <summary>Augmented images that DOM_DA drew.</summary>
    public int? Tries { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }
}
