using System.IO.Compression;
using System.Text;

namespace Dom.Train.Data;

/// <summary>Reads whole data files and turns everything that can be wrong with one into a
/// <see cref="DataException"/>.</summary>
internal static class DataFile
{
    /// <summary>The bytes of a file, unpacked if it is gzip (told by its first bytes, not by its name).</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for messages: "MNIST images (IDX)".</param>
    /// <exception cref="DataException">Missing, unreadable, empty, a web page, or damaged gzip.</exception>
    public static byte[] Read(string path, string what)
    {
        byte[] bytes = ReadRaw(path, what);
        return bytes.Length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b ? Unzip(bytes, path, what) : bytes;
    }

    /// <summary>The bytes of a file as they are.</summary>
    /// <exception cref="DataException">Missing, unreadable, empty, or a web page.</exception>
    public static byte[] ReadRaw(string path, string what)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{path}: no such file; expected {what}.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read ({error.Message}); expected {what}.", error);
        }
        if (bytes.Length == 0)
            throw new DataException($"{path}: the file is empty; expected {what}. Download it again.");
        if (LooksLikeWebPage(bytes))
            throw new DataException($"{path}: this is a web page, not {what}. Delete it and download the file again.");
        return bytes;
    }

    /// <summary>The lines of a text file that are not blank, trimmed; null where there is no such file.</summary>
    /// <exception cref="DataException">Unreadable, a web page, or without any line.</exception>
    public static string[]? ReadNames(string path)
    {
        if (!File.Exists(path))
            return null;
        var names = Encoding.UTF8.GetString(ReadRaw(path, "one class name a line"))
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.Length > 0 ? names : throw new DataException($"{path}: holds no name; expected one class name a line.");
    }

    /// <summary>Writes names so that <see cref="ReadNames"/> gives them back; line breaks inside a name become
    /// spaces.</summary>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void WriteNames(string path, IEnumerable<string> names) => Write(path, stream =>
        stream.Write(Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name.ReplaceLineEndings(" ") + "\n")))));

    /// <summary>Whether the bytes begin as HTML does, which is what a server sends in place of a file that it will not
    /// give.</summary>
    public static bool LooksLikeWebPage(ReadOnlySpan<byte> bytes)
    {
        string start = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, 256)]).TrimStart('\u00ef', '\u00bb', '\u00bf', ' ', '\t', '\r', '\n');
        return new[] { "<!doctype", "<html", "<head", "<body", "<?xml" }.Any(tag => start.StartsWith(tag, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Says how a length differs from the right one, for messages.</summary>
    public static string Compare(long expected, long found) =>
        $"expected {expected:N0} bytes, found {found:N0} ({(found < expected ? "truncated" : "too long")})";

    /// <summary>Writes a file so that a reader sees the old one or the whole new one.</summary>
    /// <exception cref="DataException">It cannot be written: no space, no permission.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        try
        {
            AtomicFile.Write(path, write);
        }
        catch (IOException error)
        {
            throw new DataException(error.Message, error);
        }
    }

    /// <summary>Makes a folder and those above it.</summary>
    /// <exception cref="DataException">It cannot be made.</exception>
    public static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{folder}: the folder cannot be made ({DiskError.Describe(error)}).", error);
        }
    }

    private static byte[] Unzip(byte[] bytes, string path, string what)
    {
        try
        {
            using var zip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            using var whole = new MemoryStream();
            zip.CopyTo(whole);
            return whole.ToArray();
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new DataException($"{path}: the gzip data is damaged ({error.Message}); expected {what}. "
                + "Delete the file and download it again.", error);
        }
    }
}
