namespace Dom.Train;

/// <summary>Replaces a file as a whole: whoever looks finds the old content or the new one, never half of it.</summary>
public static class AtomicFile
{
    /// <summary>What is appended to the target's name while its new content is being written.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Lets <paramref name="write"/> fill a temporary file beside <paramref name="path"/>, then renames it over the target.</summary>
    /// <remarks>
    /// The content reaches the disk before the rename, so a crash at any moment leaves a whole file. A temporary file that
    /// a killed process left behind is overwritten by the next call. Where writing fails the old file stays as it was.
    /// </remarks>
    /// <param name="path">The file to make or replace; its folder must exist.</param>
    /// <param name="write">Writes the content. What it throws, other than I/O errors, comes out unchanged.</param>
    /// <exception cref="IOException">The file cannot be written; the message names it and says why.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string temporary = path + TemporarySuffix;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            DeleteQuietly(temporary);
            if (e is IOException or UnauthorizedAccessException)
            {
                string kept = File.Exists(path) ? " The old file was kept." : "";
                throw new IOException($"{path}: cannot be written: {DiskError.Describe(e)}.{kept}", e) { HResult = e.HResult };
            }
            throw;
        }
    }

    /// <summary>The same for a text, in UTF-8 without a byte order mark.</summary>
    /// <exception cref="IOException">The file cannot be written; the message names it and says why.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    // The error that stopped the writing is the one to report; what is left of the temporary file harms nobody.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
