using Dom.Nn;
using Dom.Tensors;

namespace Dom.Train.Attacks;

/// <summary>The classes that a targeted attack goes for: those of the second largest, third largest, ... logit of the clean image.</summary>
/// <param name="Targets">For each row its targets, the most likely first.</param>
/// <param name="Classes">Classes of the network.</param>
public sealed record TargetClasses(int[][] Targets, int Classes)
{
    /// <summary>Targets of AutoAttack's standard evaluation, where there are ten classes or more.</summary>
    public const int Most = 9;

    /// <summary>Targets of every row: <see cref="Most"/>, or one less than there are classes.</summary>
    public int TargetCount => Math.Min(Classes - 1, Targets.Length == 0 ? 0 : Targets[0].Length);

    /// <summary>Ranks the classes of clean images; equal logits in the order of their classes.</summary>
    /// <param name="network">The network.</param>
    /// <param name="clean">[N, H, W, C].</param>
    /// <param name="pass">How the network is applied.</param>
    /// <param name="most">Targets, where there are as many other classes.</param>
    public static TargetClasses Of(Network network, Tensor clean, Pass pass, int most = Most)
    {
        using var scope = new TensorScope();
        var logits = network.Apply(clean, pass); // [N, classes]
        int classes = logits.Shape[1], count = Math.Min(most, classes - 1);
        return new TargetClasses(Array.ConvertAll(logits.ToFloats().Chunk(classes).ToArray(), row => Ranked(row, count)), classes);
    }

    private static int[] Ranked(float[] logits, int count) =>
        [.. Enumerable.Range(0, logits.Length).OrderByDescending(c => logits[c]).Skip(1).Take(count)];
}

/// <summary>A difference of logits ratio of a network that has fewer than four classes.</summary>
/// <param name="attack">The attack that needs it.</param>
/// <param name="classes">Classes of the network.</param>
public sealed class TooFewClassesException(string attack, int classes) : ArgumentException(
    $"{attack}: the difference of logits ratio (DLR) needs at least 4 classes, the network has {classes}. The margin loss needs 2: --attack-loss margin.");
