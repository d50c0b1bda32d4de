namespace Dom.Train.Data.Download;

/// <summary>Unpacks archives of plain files and folders: .tar.gz and .zip, told apart by their names.</summary>
internal static class Archive
{
    /// <summary>
    /// Unpacks into a scratch folder first and moves the results in at the end, so that a name in the target is never
    /// a torn one. A folder that is there already is renamed to NAME.old.
    /// </summary>
    /// <exception cref="DataException">The archive is damaged, would write outside the folder, or holds something
    /// other than files and folders; or the disk is full.</exception>
    public static void Unpack(string archive, string folder, CancellationToken cancellation = default)
    {
        string scratch = Path.Combine(folder, ".unpack-" + Path.GetFileName(archive));
        try
        {
            RemoveFolder(scratch);
            Directory.CreateDirectory(scratch);
            if (archive.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
                ZipEntries.Extract(archive, scratch, cancellation);
            else
                TarEntries.Extract(archive, scratch, cancellation);
            MoveIn(scratch, folder);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new DataException($"{archive}: the archive is damaged ({error.Message}). "
                + "Delete it and download it again.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{archive}: cannot be unpacked into {folder} ({DiskError.Describe(error)}).", error);
        }
        finally
        {
            RemoveFolder(scratch);
        }
    }

    /// <summary>Where an entry is to be written; null for the root folder itself.</summary>
    /// <exception cref="DataException">It would be outside.</exception>
    public static string? PathOf(string name, string archive, string root)
    {
        string path = Path.GetFullPath(Path.Combine(root, name));
        if (Path.TrimEndingDirectorySeparator(path) == Path.GetFullPath(root))
            return null;
        return path.StartsWith(Path.GetFullPath(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? path : throw new DataException(
            $"{archive}: the entry '{name}' would be written outside the data folder. The archive is not to be trusted; nothing was unpacked.");
    }

    /// <summary>Writes an entry's content to its file, in folders that are made for it.</summary>
    public static void Write(string path, Stream? content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var target = new FileStream(path, FileMode.Create, FileAccess.Write);
        content?.CopyTo(target);
    }

    private static void MoveIn(string scratch, string folder)
    {
        foreach (string source in Directory.EnumerateFileSystemEntries(scratch).ToArray())
        {
            string target = Path.Combine(folder, Path.GetFileName(source));
            if (Directory.Exists(target))
            {
                // It may hold a person's own files.
                RemoveFolder(target + ".old");
                Directory.Move(target, target + ".old");
            }
            if (Directory.Exists(source))
                Directory.Move(source, target);
            else
                File.Move(source, target, overwrite: true);
        }
    }

    private static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
