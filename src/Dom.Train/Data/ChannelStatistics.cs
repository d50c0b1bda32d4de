namespace Dom.Train.Data;

/// <summary>Mean and standard deviation of the pixels of each channel, for pixels scaled to 0..1.</summary>
internal static class ChannelStatistics
{
    /// <summary>Computed in whole numbers and f64, so exact to the last digit of f32. A constant channel gets the
    /// deviation 1, so that it can be divided by.</summary>
    public static (float[] Mean, float[] Std) Of(ImageSplit split)
    {
        var sums = new long[split.Channels];
        var squares = new long[split.Channels];
        for (int i = 0; i < split.Pixels.Length; i += split.Channels)
        {
            for (int c = 0; c < split.Channels; c++)
            {
                int value = split.Pixels[i + c];
                sums[c] += value;
                squares[c] += value * value;
            }
        }
        double count = (double)split.Pixels.Length / split.Channels;
        var mean = new float[split.Channels];
        var std = new float[split.Channels];
        for (int c = 0; c < split.Channels; c++)
        {
            double average = sums[c] / count;
            double variance = squares[c] / count - average * average;
            mean[c] = (float)(average / 255);
            std[c] = variance > 1e-6 ? (float)(Math.Sqrt(variance) / 255) : 1;
        }
        return (mean, std);
    }
}
