namespace Dom.Train.Memorization;

/// <summary>The names of the ledger's columns. A column is a file of this name and <c>.npy</c> in the ledger's folder.</summary>
public static class LedgerColumns
{
    /// <summary>Cross-entropy of the clean image, in nats.</summary>
    public const string NaturalLoss = "natural_loss";

    /// <summary>Softmax probability of the given label, 0..1.</summary>
    public const string NaturalProbability = "natural_probability";

    /// <summary>Logit of the given label minus the largest other logit.</summary>
    public const string NaturalMargin = "natural_margin";

    /// <summary>Euclidean norm of softmax minus one-hot label (EL2N), 0..sqrt 2.</summary>
    public const string NaturalErrorNorm = "natural_error_norm";

    /// <summary>1 where the prediction is the given label, else 0.</summary>
    public const string NaturalCorrect = "natural_correct";

    /// <summary>The predicted class, a whole number.</summary>
    public const string NaturalPrediction = "natural_prediction";

    /// <summary>Cross-entropy of the adversarial image, in nats.</summary>
    public const string AdversarialLoss = "adversarial_loss";

    /// <summary>1 where the prediction on the adversarial image is the given label, else 0.</summary>
    public const string AdversarialCorrect = "adversarial_correct";

    /// <summary>Cross-entropy of the clean image after the epoch, network in evaluation mode, in nats; where a pass at the end of every epoch was asked for.</summary>
    public const string EvaluationNaturalLoss = "eval_natural_loss";

    /// <summary>1 where the prediction in that pass is the given label, else 0.</summary>
    public const string EvaluationNaturalCorrect = "eval_natural_correct";

    /// <summary>Cross-entropy in that pass under PGD-10, in nats.</summary>
    public const string EvaluationAdversarialLoss = "eval_adversarial_loss";

    /// <summary>1 where the prediction in that pass under PGD-10 is the given label, else 0.</summary>
    public const string EvaluationAdversarialCorrect = "eval_adversarial_correct";

    /// <summary>Cross-entropy in that pass under FGSM, in nats; where the training attack has a single step.</summary>
    public const string EvaluationFgsmLoss = "eval_fgsm_loss";

    /// <summary>1 where the prediction in that pass under FGSM is the given label, else 0.</summary>
    public const string EvaluationFgsmCorrect = "eval_fgsm_correct";

    /// <summary>Static: the label that training saw, i32.</summary>
    public const string GivenLabel = "given_label";

    /// <summary>Static: the label before any was made wrong on purpose, i32.</summary>
    public const string TrueLabel = "true_label";

    /// <summary>What natural training writes each epoch.</summary>
    public static IReadOnlyList<string> Natural { get; } =
        [NaturalLoss, NaturalProbability, NaturalMargin, NaturalErrorNorm, NaturalCorrect, NaturalPrediction];

    /// <summary>What adversarial training writes each epoch: the natural columns and two more.</summary>
    public static IReadOnlyList<string> Adversarial { get; } = [.. Natural, AdversarialLoss, AdversarialCorrect];

    /// <summary>What a pass at the end of every epoch adds.</summary>
    /// <param name="adversarial">Whether it attacks the images too.</param>
    /// <param name="singleStep">Whether it attacks them by FGSM besides PGD-10.</param>
    public static IReadOnlyList<string> Evaluation(bool adversarial, bool singleStep) =>
    [
        EvaluationNaturalLoss, EvaluationNaturalCorrect,
        .. adversarial ? [EvaluationAdversarialLoss, EvaluationAdversarialCorrect] : Array.Empty<string>(),
        .. adversarial && singleStep ? [EvaluationFgsmLoss, EvaluationFgsmCorrect] : Array.Empty<string>(),
    ];

    private static readonly string[] s_order = [.. Adversarial, .. Evaluation(true, true)];

    /// <summary>The order in which columns are listed: the known ones as above, others after them by name.</summary>
    internal static IEnumerable<string> InOrder(IEnumerable<string> names) => names
        .OrderBy(name => Array.IndexOf(s_order, name) is >= 0 and var place ? place : int.MaxValue)
        .ThenBy(name => name, StringComparer.Ordinal);
}
