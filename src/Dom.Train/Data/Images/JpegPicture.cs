namespace Dom.Train.Data.Images;

/// <summary>From the coefficients of all components to pixels.</summary>
internal static class JpegPicture
{
    public static DecodedImage Build(JpegFrame frame, bool isRgb)
    {
        int width = frame.Width;
        int height = frame.Height;
        var rows = new JpegUpsampling[frame.Components.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            var component = frame.Components[i];
            rows[i] = new JpegUpsampling(component, frame, Samples(component), 8 * component.BlocksAcross);
        }
        int channels = rows.Length;
        var pixels = new byte[width * height * channels];
        for (int y = 0; y < height; y++)
        {
            var target = pixels.AsSpan(y * width * channels, width * channels);
            if (channels == 1)
                rows[0].Row(y)[..width].CopyTo(target);
            else if (isRgb)
                JpegColor.Interleave(rows[0].Row(y), rows[1].Row(y), rows[2].Row(y), target);
            else
                JpegColor.ToRgb(rows[0].Row(y), rows[1].Row(y), rows[2].Row(y), target);
        }
        return new DecodedImage(width, height, channels, pixels);
    }

    private static byte[] Samples(JpegComponent component)
    {
        int stride = 8 * component.BlocksAcross;
        var samples = new byte[stride * 8 * component.BlocksDown];
        for (int y = 0; y < component.BlocksDown; y++)
            for (int x = 0; x < component.BlocksAcross; x++)
            {
                var target = samples.AsSpan(8 * (y * stride + x));
                JpegTransform.Inverse(component.Block(x, y), component.Quantization, target, stride);
            }
        return samples;
    }
}
