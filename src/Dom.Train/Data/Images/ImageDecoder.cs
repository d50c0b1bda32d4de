using System.Text;

namespace Dom.Train.Data.Images;

/// <summary>The built-in decoder: PNG of every kind, and JPEG, baseline and progressive, gray, YCbCr and RGB.</summary>
/// <remarks>
/// The format is recognized by the first bytes, never by the file's extension. JPEG pixels follow libjpeg's default
/// decoding (integer IDCT, triangle-filter chroma), so that they equal what Pillow and torchvision load. Stateless.
/// </remarks>
public sealed class ImageDecoder : IImageDecoder
{
    /// <summary>The widest and the highest image that is read, in pixels.</summary>
    public const int MaximumSide = 16384;

    /// <inheritdoc/>
    public DecodedImage Decode(ReadOnlySpan<byte> file, string name)
    {
        if (file.StartsWith(PngDecoder.Signature))
            return Decode(file, name, "PNG", PngDecoder.Decode);
        if (file.StartsWith(JpegDecoder.Signature))
            return Decode(file, name, "JPEG", JpegDecoder.Decode);
        throw new DataException($"'{name}' is not an image that can be read: expected a PNG or a JPEG, but the file " +
            $"{Describe(file)}. Convert it to PNG or JPEG, or remove it.");
    }

    /// <summary>Refuses an image without pixels, or one too large to be an honest training image.</summary>
    internal static void CheckSize(int width, int height)
    {
        if (width is < 1 or > MaximumSide || height is < 1 or > MaximumSide)
            throw new InvalidDataException(
                $"width and height must be 1 to {MaximumSide}, its header says {width} x {height}");
    }

    private delegate DecodedImage FormatDecoder(ReadOnlySpan<byte> file);

    // The format decoders say what is wrong; only here is it known which file it is wrong with.
    private static DecodedImage Decode(ReadOnlySpan<byte> file, string name, string format, FormatDecoder decode)
    {
        try
        {
            return decode(file);
        }
        catch (InvalidDataException e)
        {
            throw new DataException($"'{name}' cannot be read as {format}: {e.Message.TrimEnd('.')}. " +
                "Copy or export the file again, or remove it.", e);
        }
        catch (NotSupportedException e)
        {
            throw new DataException(
                $"'{name}' is a {format} of a kind that cannot be read: {e.Message.TrimEnd('.')}. " +
                "Convert it to an ordinary RGB or gray PNG or JPEG.", e);
        }
    }

    private static string Describe(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty)
            return "is empty";
        var start = file[..Math.Min(file.Length, 12)];
        string text = Encoding.ASCII.GetString(start);
        string guess = text switch
        {
            _ when text.StartsWith("GIF8", StringComparison.Ordinal) => " (a GIF)",
            _ when text.StartsWith("BM", StringComparison.Ordinal) => " (probably a BMP)",
            _ when text.StartsWith("RIFF", StringComparison.Ordinal) => " (probably a WebP)",
            _ when text.StartsWith("II*\0", StringComparison.Ordinal) => " (a TIFF)",
            _ when text.StartsWith("MM\0*", StringComparison.Ordinal) => " (a TIFF)",
            _ when text.TrimStart().StartsWith('<') => " (text such as an HTML page)",
            _ => "",
        };
        return $"starts with the bytes {Convert.ToHexString(start)}{guess}";
    }
}
