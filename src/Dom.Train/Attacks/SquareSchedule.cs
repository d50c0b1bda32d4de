using Dom.Tensors;

namespace Dom.Train.Attacks;

/// <summary>Settings of Square; the defaults are AutoAttack's.</summary>
/// <param name="Queries">Windows that are tried, at least 1; the start costs one query more.</param>
/// <param name="InitialShare">Share of the image that the first windows cover, above 0 and at most 1. The paper's p.</param>
public sealed record SquareOptions(int Queries = 5000, double InitialShare = 0.8)
{
    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Validate()
    {
        if (Queries < 1)
            throw new ArgumentException($"Square: there must be 1 query or more, got {Queries}.");
        if (!(InitialShare is > 0 and <= 1))
            throw new ArgumentException($"Square: the first windows must cover a share above 0 and at most 1 of the image, got {InitialShare}.");
    }
}

/// <summary>A window that Square tries.</summary>
/// <param name="Top">First row.</param>
/// <param name="Left">First column.</param>
/// <param name="Side">Rows and columns.</param>
/// <param name="Signs">For each channel, +1 or -1: to which side of the ball its pixels go.</param>
internal sealed record SquareMove(int Top, int Left, int Side, float[] Signs);

/// <summary>Which window Square tries when.</summary>
internal static class SquareSchedule
{
    /// <summary>After which queries the share is halved.</summary>
    private static readonly int[] s_halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

    /// <summary>The share of the image that the window of a query covers; queries count from 0. The schedule is that for 10,000 queries and is not rescaled to fewer, as in AutoAttack.</summary>
    public static double Share(double initial, int query)
    {
        foreach (int last in s_halvings)
            if (query > last)
                initial /= 2;
        return initial;
    }

    /// <summary>Side of a window that covers a share of an image, to the nearest, at least 1 and at most the shorter side of the image.</summary>
    public static int Side(double share, int height, int width) =>
        Math.Clamp((int)Math.Round(Math.Sqrt(share * height * width), MidpointRounding.ToEven), 1, Math.Min(height, width));

    /// <summary>
    /// The window of a query. Numbers 0 and 1 of the stream give its place, the following ones the signs. The upper bound of the place is exclusive, as in the authors' code:
    /// the last row and the last column are reached by windows that are as large as the image alone.
    /// </summary>
    public static SquareMove Draw(RandomStream stream, double share, int height, int width, int channels)
    {
        int side = Side(share, height, width);
        var signs = new float[channels];
        for (int c = 0; c < channels; c++)
            signs[c] = stream.Uniform(2 + c) >= 0.5f ? 1 : -1;
        return new SquareMove((int)((double)stream.Uniform(0) * (height - side)), (int)((double)stream.Uniform(1) * (width - side)), side, signs);
    }
}
