using System.Globalization;

namespace Dom.Train.Memorization;

/// <summary>What share of the samples has a loss in each range; the shares and that of NaN add up to 1.</summary>
/// <param name="Shares">One share 0..1 a range, in the order of the ranges; of all samples, NaN included.</param>
/// <param name="NotANumber">Share of the samples whose loss is NaN.</param>
public sealed record LossShares(double[] Shares, double NotANumber);

/// <summary>Ranges of a loss: [0, e0), [e0, e1), ... and the last, open one, [e_last, infinity).</summary>
public sealed class LossRanges
{
    private readonly float[] _edges;

    /// <summary>Ranges between the given edges.</summary>
    /// <param name="edges">At least one, positive, finite and ascending, in nats.</param>
    /// <exception cref="ArgumentException">The edges are not so.</exception>
    public LossRanges(params ReadOnlySpan<float> edges)
    {
        _edges = edges.ToArray();
        float previous = 0;
        foreach (float edge in edges)
        {
            if (!(edge > previous) || !float.IsFinite(edge))
                throw new ArgumentException($"loss ranges: edges must be positive, finite and ascending, got [{string.Join(", ", _edges)}].", nameof(edges));
            previous = edge;
        }
        if (edges.IsEmpty)
            throw new ArgumentException("loss ranges: at least one edge is needed.", nameof(edges));
    }

    /// <summary>For natural training: steps of 0.2 up to 1.</summary>
    /// <remarks>DOM, figure 1, names only [0, 0.2); the other edges continue it.</remarks>
    public static LossRanges Natural { get; } = new(0.2f, 0.4f, 0.6f, 0.8f, 1f);

    /// <summary>For adversarial training, natural and adversarial loss alike: steps of 0.5 up to 2.5 (DOM, figure 3).</summary>
    public static LossRanges Adversarial { get; } = new(0.5f, 1f, 1.5f, 2f, 2.5f);

    /// <summary>Number of ranges: one more than edges.</summary>
    public int Count => _edges.Length + 1;

    /// <summary>The edges between the ranges, ascending.</summary>
    public IReadOnlyList<float> Edges => _edges;

    /// <summary>A range as a person writes it: <c>0.2..0.4</c>, and <c>1..</c> for the open one.</summary>
    public string Label(int range) => string.Create(CultureInfo.InvariantCulture,
        $"{(range == 0 ? 0 : _edges[range - 1])}..{(range == _edges.Length ? null : _edges[range])}");

    /// <summary>The range that holds <paramref name="loss"/>; a loss below 0 by rounding counts as 0. -1 for NaN.</summary>
    public int RangeOf(float loss)
    {
        if (float.IsNaN(loss))
            return -1;
        int range = 0;
        while (range < _edges.Length && loss >= _edges[range])
            range++;
        return range;
    }

    /// <summary>Counts the losses of a row, or of those samples of it that <paramref name="include"/> names.</summary>
    /// <param name="losses">Losses by sample id.</param>
    /// <param name="include">True where a sample counts; empty for all.</param>
    /// <returns>Shares among the samples that count; all 0 where none does.</returns>
    /// <exception cref="ArgumentException">The two have different lengths.</exception>
    public LossShares SharesOf(ReadOnlySpan<float> losses, ReadOnlySpan<bool> include = default)
    {
        if (!include.IsEmpty && include.Length != losses.Length)
            throw new ArgumentException($"loss ranges: {losses.Length} losses but {include.Length} flags; one flag a loss.", nameof(include));
        var counts = new long[Count];
        long total = 0, notANumber = 0;
        for (int i = 0; i < losses.Length; i++)
        {
            if (!include.IsEmpty && !include[i])
                continue;
            total++;
            int range = RangeOf(losses[i]);
            if (range < 0)
                notANumber++;
            else
                counts[range]++;
        }
        double divisor = Math.Max(1, total);
        return new LossShares(Array.ConvertAll(counts, count => count / divisor), notANumber / divisor);
    }
}
