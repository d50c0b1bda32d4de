namespace Dom.Train.Reproduction;

/// <summary>How DOM_DA augments.</summary>
/// <param name="Strength">beta, 0..1: the share of the augmented image in the blend.</param>
/// <param name="Tries">gamma: the most tries.</param>
internal readonly record struct PaperAugmentation(double Strength, int Tries);

/// <summary>A row of table 1 or table 5 of the DOM paper: what it states for a data set and a paradigm.</summary>
/// <param name="Data">The data set.</param>
/// <param name="Paradigm">The paradigm.</param>
/// <param name="LearningRate">Peak learning rate.</param>
/// <param name="Epochs">Epochs; the warm-up K is half of them.</param>
/// <param name="Threshold">T, in nats.</param>
/// <param name="AugMix">beta and gamma with AugMix.</param>
/// <param name="RandAugment">beta and gamma with RandAugment.</param>
/// <param name="Inferred">What the paper leaves open here.</param>
internal sealed record PaperSettings(
    string Data, PaperParadigm Paradigm, double LearningRate, int Epochs, double Threshold, PaperAugmentation AugMix, PaperAugmentation RandAugment,
    string? Inferred = null)
{
    private const string Svhn = "step size ramped as in the authors' sibling code (AAER), whose normalization is taken too";

    /// <summary>All rows.</summary>
    public static IReadOnlyList<PaperSettings> All { get; } =
    [
        // Table 1.
        new("cifar10", PaperParadigm.Natural, 0.1, 300, 0.2, new(0.5, 3), new(0.1, 3)),
        new("cifar10", PaperParadigm.Pgd, 0.1, 200, 1.5, new(0.5, 2), new(0, 2)),
        new("cifar10", PaperParadigm.Fgsm, 0.2, 100, 2.0, new(0.5, 5), new(0.1, 3)),
        new("cifar100", PaperParadigm.Natural, 0.1, 300, 0.45, new(0.5, 2), new(0.1, 2)),
        new("cifar100", PaperParadigm.Pgd, 0.1, 200, 4.0, new(0.5, 2), new(0, 2)),
        new("cifar100", PaperParadigm.Fgsm, 0.2, 50, 4.6, new(0.5, 5), new(0.1, 3)),

        // Table 5.
        new("svhn", PaperParadigm.Natural, 0.01, 300, 0.02, new(0.5, 3), new(0.5, 3), "normalization of the authors' sibling code (AAER)"),
        new("svhn", PaperParadigm.Pgd, 0.01, 200, 0.75, new(0.5, 4), new(0.25, 2), Svhn + "; tested with a step of 2/255"),
        new("svhn", PaperParadigm.Fgsm, 0.01, 20, 1.0, new(0.5, 4), new(0.1, 4), Svhn + "; tested with a step of 2/255"),

        // Appendix D: T = 0.2, "the rest original".
        new("tiny-imagenet", PaperParadigm.Natural, 0.1, 300, 0.2, new(0.5, 3), new(0.1, 3),
            "all but T as on CIFAR-10; crop of 64 with padding 8, linear layer of 2048 inputs and normalization of the authors' sibling code (AAER)"),
    ];

    /// <summary>The row of a data set and a paradigm.</summary>
    public static PaperSettings Of(string data, PaperParadigm paradigm) => All.Single(row => row.Data == data && row.Paradigm == paradigm);
}
