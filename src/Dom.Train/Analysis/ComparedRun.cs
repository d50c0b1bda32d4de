namespace Dom.Train.Analysis;

/// <summary>A run beside others: the removal experiments of DOM (ICLR 2024), figure 1 right, are four of them.</summary>
/// <param name="Name">What it is called, such as the name of its folder.</param>
/// <param name="Removal">What it removes from training: "none", "all", "original", "transformed"; or another word for what DOM does in it.</param>
/// <param name="Accuracies">Its epochs, in order.</param>
public sealed record ComparedRun(string Name, string Removal, IReadOnlyList<AccuracyPoint> Accuracies)
{
    /// <summary>Test accuracy of the last epoch that has one, 0..1; NaN where none has.</summary>
    public double Last => Accuracies.LastOrDefault(p => p.Test is not null)?.Test ?? double.NaN;

    /// <summary>The best test accuracy, 0..1; NaN where there is none.</summary>
    public double Best => Accuracies.Max(p => p.Test) ?? double.NaN;

    /// <summary>The paper's generalization gap: the test error of the last epoch, training accuracy being taken as 100 %.</summary>
    public double Error => 1 - Last;

    /// <summary>Training minus test accuracy of the last epoch; NaN where one is missing.</summary>
    public double Gap => Accuracies.Count > 0 ? Accuracies[^1].Train - Accuracies[^1].Test ?? double.NaN : double.NaN;
}
