using Dom.Tensors;

namespace Dom.Train.Attacks;

/// <summary>Signs that an evaluation with gradient attacks may say too much: of those that AutoAttack looks for, the ones that a network here can show.</summary>
public static class AutoAttackChecks
{
    private const int Repeats = 5;
    private const double LargestDifference = 1e-4, NearProbability = 1e-5;

    /// <summary>By how much Square must lower the accuracy that the attacks with gradients have left before it is a sign: 0.2 points.</summary>
    public const double SquareMargin = 0.002;

    /// <summary>Whether five passes over the same images give different outputs: by more than 1e-4 in the Euclidean norm of the normalized logits, or another
    /// number of right predictions.</summary>
    /// <param name="logits">Makes the logits [N, C] of the images, anew each time.</param>
    /// <param name="labels">Their labels.</param>
    public static bool IsRandomized(Func<Tensor> logits, int[] labels)
    {
        var seen = new List<float[]>();
        int correct = 0;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            float[] output = logits().ToFloats();
            int classes = labels.Length == 0 ? 1 : output.Length / labels.Length;
            float[][] rows = [.. output.Chunk(classes)];
            int right = rows.Where((row, n) => Array.IndexOf(row, row.Max()) == labels[n]).Count();
            float[] normalized = [.. rows.SelectMany(Normalized)];
            if (repeat > 0 && (right != correct || seen.Exists(other => LargestDistance(other, normalized, classes) > LargestDifference)))
                return true;
            seen.Add(normalized);
            correct = right;
        }
        return false;
    }

    /// <summary>Whether outputs are probabilities: all within 0..1, rows that add up to 1.</summary>
    /// <param name="outputs">What the network gives, row by row.</param>
    /// <param name="classes">Length of a row.</param>
    public static bool LooksLikeProbabilities(float[] outputs, int classes) =>
        outputs.Length > 0
        && outputs.All(v => v > -NearProbability && v < 1 + NearProbability)
        && outputs.Chunk(classes).All(row => Math.Abs(row.Sum(v => (double)v) - 1) < NearProbability);

    /// <summary>Everything that an evaluation should make its reader doubt, as sentences.</summary>
    public static IReadOnlyList<string> Warnings(AutoAttackState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var warnings = new List<string>();
        if (state.IsRandomized)
            warnings.Add("randomized output: the same images give different logits. Attacks on one draw overestimate robustness; the expectation over draws must be attacked.");
        if (state.LooksLikeProbabilities)
            warnings.Add("the outputs look like probabilities: attacks need logits, as a saturated softmax hides their gradients.");
        foreach (var tally in state.Tallies.Where(t => t.ZeroGradients > 0))
        {
            warnings.Add($"zero gradients: {tally.ZeroGradients} of {tally.Attacked} samples had none at a start of {tally.Attack.Name()}. "
                + "Attacks with gradients may be blind there.");
        }
        if (SquareGain(state) is { } gain && gain > SquareMargin)
        {
            warnings.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"gradient masking: Square, which uses no gradients, lowers the accuracy by {100 * gain:0.0} points more than the attacks with gradients. Their accuracy, and PGD's, is too high."));
        }
        return warnings;
    }

    /// <summary>By how much Square lowered the accuracy behind other attacks, 0..1; null where it was not run behind any.</summary>
    private static double? SquareGain(AutoAttackState state) =>
        state.Tallies.Count > 1 && state.Samples > 0 && state.Tallies[^1] is { Attack: EvaluationAttackKind.Square } square
            ? (double)square.Fooled / state.Samples
            : null;

    private static IEnumerable<float> Normalized(float[] row)
    {
        double norm = Math.Sqrt(row.Sum(v => (double)v * v)) + 1e-10;
        return row.Select(v => (float)(v / norm));
    }

    private static double LargestDistance(float[] a, float[] b, int classes) =>
        a.Zip(b, (x, y) => ((double)x - y) * ((double)x - y)).Chunk(classes).Max(row => Math.Sqrt(row.Sum()));
}
