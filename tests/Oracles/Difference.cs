namespace Dom.Oracles;

/// <summary>How far apart two arrays are.</summary>
internal static class Difference
{
    /// <summary>The largest absolute difference; infinite where a NaN is or the lengths differ.</summary>
    public static double Largest(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length)
            return double.PositiveInfinity;
        double largest = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (!(difference <= largest))
                largest = double.IsNaN(difference) ? double.PositiveInfinity : difference;
        }
        return largest;
    }

    /// <summary>The largest absolute difference over the largest absolute value that was expected.</summary>
    public static double Relative(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        double scale = 0;
        foreach (float value in expected)
            scale = Math.Max(scale, Math.Abs(value));
        double largest = Largest(actual, expected);
        return largest == 0 ? 0 : largest / scale;
    }
}
