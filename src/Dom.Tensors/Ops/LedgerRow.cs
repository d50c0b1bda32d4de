namespace Dom.Tensors.Ops;

/// <summary>A row of the ledger on the device: [samples, <see cref="Count"/>] f32, one row a sample, row = sample id.</summary>
public static class LedgerRow
{
    /// <summary>Cross-entropy, in nats.</summary>
    public const int Loss = 0;

    /// <summary>Softmax probability of the label, 0..1.</summary>
    public const int Probability = 1;

    /// <summary>Logit of the label minus the largest other logit.</summary>
    public const int Margin = 2;

    /// <summary>Euclidean norm of softmax minus one-hot label (EL2N), 0..sqrt 2.</summary>
    public const int ErrorNorm = 3;

    /// <summary>1 where the prediction is the label, else 0.</summary>
    public const int Correct = 4;

    /// <summary>The class of the largest logit, the first of them where several are; -1 where the loss is NaN.</summary>
    public const int Prediction = 5;

    /// <summary>Number of columns.</summary>
    public const int Count = 6;
}
