namespace Dom.Train.Data.Images;

/// <summary>The pixels of two lists of files, [N, Height, Width, Channels] each.</summary>
internal sealed record DecodedFiles(byte[] First, byte[] Second, int Height, int Width, int Channels);

/// <summary>
/// Decodes many files of one size in parallel, to the same bytes or the same error whatever the number of threads.
/// </summary>
internal static class ImageFiles
{
    private const int FilesBetweenReports = 500;

    /// <summary>Decodes all files.</summary>
    /// <param name="files">At least one path.</param>
    /// <param name="split">How many of them go into the first list.</param>
    /// <param name="decoder">Reads the files.</param>
    /// <param name="channels">Channels of the result; null for those that the files have, 3 where any of them is RGB.</param>
    /// <param name="progress">Called now and then with the number of files read and of those there are, one thread at a time.</param>
    public static DecodedFiles Decode(
        IReadOnlyList<string> files, int split, IImageDecoder decoder, int? channels = null, Action<int, int>? progress = null)
    {
        var reference = Read(files[0], decoder);
        // Nearly always all files have the channels of the first. Where a gray start turns out wrong, all is read
        // once more as RGB.
        return TryDecode(files, split, decoder, reference, channels ?? reference.Channels, progress)
            ?? TryDecode(files, split, decoder, reference, channels: 3, progress)!;
    }

    // Null where an RGB picture came and one channel was asked for.
    private static DecodedFiles? TryDecode(
        IReadOnlyList<string> files, int split, IImageDecoder decoder, DecodedImage reference, int channels, Action<int, int>? progress)
    {
        int size = reference.Height * reference.Width * channels;
        long bytes = (long)size * Math.Max(split, files.Count - split);
        if (bytes > Array.MaxLength)
            throw new DataException(
                $"{files.Count} images of {reference.Width} x {reference.Height} pixels take {bytes / 1e9:F1} GB " +
                $"in one split, {Array.MaxLength / 1e9:F1} GB are the most. Scale the images down, or use fewer.");
        var first = new byte[size * split];
        var second = new byte[size * (files.Count - split)];
        int firstFailure = int.MaxValue;
        Exception? failure = null;
        bool sawColor = false;
        var gate = new Lock();
        int done = 0;
        Parallel.For(0, files.Count, (i, loop) =>
        {
            try
            {
                var image = Read(files[i], decoder);
                CheckSize(image, files[i], reference, files[0]);
                if (image.Channels > channels)
                {
                    Volatile.Write(ref sawColor, true);
                    return;     // go on: a damaged file must be found here or in the second round, always the same one
                }
                var target = i < split ? first.AsSpan(i * size, size) : second.AsSpan((i - split) * size, size);
                CopyPixels(image, channels, target);
                if (progress is null)
                    return;
                lock (gate)
                    if (++done % FilesBetweenReports == 0 || done == files.Count)
                        progress(done, files.Count);
            }
            catch (Exception e)
            {
                // Break lets every file before this one still be looked at, so that the first failure in order is the
                // one reported.
                lock (gate)
                    if (i < firstFailure)
                        (firstFailure, failure) = (i, e);
                loop.Break();
            }
        });
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return sawColor ? null : new DecodedFiles(first, second, reference.Height, reference.Width, channels);
    }

    private static DecodedImage Read(string path, IImageDecoder decoder)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"'{path}' cannot be read: {e.Message} Check that it exists and is readable.", e);
        }
        var image = decoder.Decode(file, path);
        if (image.Channels is not (1 or 3) || image.Pixels.Length != (long)image.Width * image.Height * image.Channels)
            throw new DataException(
                $"'{path}': the decoder gave {image.Pixels.Length} bytes for {image.Width} x {image.Height} pixels " +
                $"of {image.Channels} channels; one byte a sample and 1 or 3 channels are expected.");
        return image;
    }

    private static void CheckSize(DecodedImage image, string path, DecodedImage reference, string referencePath)
    {
        if (image.Width != reference.Width || image.Height != reference.Height)
            throw new DataException($"'{path}' has {image.Width} x {image.Height} pixels, but '{referencePath}' has " +
                $"{reference.Width} x {reference.Height}. " +
                "All images of a set must have one size: scale or crop them first.");
    }

    private static void CopyPixels(DecodedImage image, int channels, Span<byte> target)
    {
        if (image.Channels == channels)
        {
            image.Pixels.CopyTo(target);
            return;
        }
        for (int i = 0; i < image.Pixels.Length; i++)
            target.Slice(3 * i, 3).Fill(image.Pixels[i]);
    }
}
