using System.IO.Compression;

namespace Dom.Train.Data.Download;

/// <summary>The entries of a .zip.</summary>
internal static class ZipEntries
{
    // The upper half of the attributes is a Unix mode, where the archive was made on Unix: its first digit is the kind of file.
    private const int KindMask = 0xF000, Link = 0xA000;

    /// <summary>Writes them all below a folder.</summary>
    /// <exception cref="DataException">An entry is a link, or would be written outside.</exception>
    public static void Extract(string archive, string root, CancellationToken cancellation)
    {
        using var zip = ZipFile.OpenRead(archive);
        foreach (var entry in zip.Entries)
        {
            cancellation.ThrowIfCancellationRequested();
            if ((entry.ExternalAttributes >> 16 & KindMask) == Link)
                throw new DataException($"{archive}: the entry '{entry.FullName}' is a link; only files and folders are expected. Nothing was unpacked.");
            string? path = Archive.PathOf(entry.FullName, archive, root);
            if (entry.FullName.EndsWith('/'))
            {
                Directory.CreateDirectory(path ?? root);
                continue;
            }
            using var content = entry.Open();
            Archive.Write(path ?? root, content);
        }
    }
}
