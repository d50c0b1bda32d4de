namespace Dom.Train.Data.Images;

/// <summary>Turns the bytes of an image file into pixels. Called from several threads at once.</summary>
public interface IImageDecoder
{
    /// <summary>Decodes one image file.</summary>
    /// <param name="file">All bytes of the file.</param>
    /// <param name="name">What errors call the file, usually its path.</param>
    /// <returns>The picture, gray or RGB, 8 bits a sample.</returns>
    /// <exception cref="DataException">The bytes are not a picture that this decoder can read; the message names the
    /// file.</exception>
    DecodedImage Decode(ReadOnlySpan<byte> file, string name);
}
