using System.Formats.Tar;
using System.IO.Compression;

namespace Dom.Train.Data.Download;

/// <summary>Unpacks a .tar.gz of plain files and folders.</summary>
internal static class TarArchive
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
            using (var file = File.OpenRead(archive))
            using (var zip = new GZipStream(file, CompressionMode.Decompress))
            using (var tar = new TarReader(zip))
            {
                while (tar.GetNextEntry() is { } entry)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Extract(entry, archive, scratch);
                }
            }
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

    private static void Extract(TarEntry entry, string archive, string root)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes)
            return;
        string path = Path.GetFullPath(Path.Combine(root, entry.Name));
        bool isInside = path.StartsWith(Path.GetFullPath(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        bool isRoot = Path.TrimEndingDirectorySeparator(path) == Path.GetFullPath(root);
        if (!isInside && !isRoot)
            throw new DataException($"{archive}: the entry '{entry.Name}' would be written outside the data folder. "
                + "The archive is not to be trusted; nothing was unpacked.");
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                using (var target = new FileStream(path, FileMode.Create, FileAccess.Write))
                    entry.DataStream?.CopyTo(target);
                break;
            default:
                throw new DataException($"{archive}: the entry '{entry.Name}' is a {entry.EntryType}; "
                    + "only files and folders are expected. Nothing was unpacked.");
        }
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
