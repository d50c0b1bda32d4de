namespace Dom.Train.Training;

/// <summary>What a training step minimizes.</summary>
public enum LossKind
{
    /// <summary>The cross-entropy of the images that are trained on, clean or attacked.</summary>
    CrossEntropy,

    /// <summary>
    /// TRADES (Zhang et al., ICML 2019): cross-entropy of the clean image plus beta times KL(clean || attacked). In the DOM paper it is analyzed (figure 6) and
    /// not combined with DOM.
    /// </summary>
    Trades,
}
