using System.Formats.Tar;
using System.IO.Compression;

namespace Dom.Train.Data.Download;

/// <summary>The entries of a .tar.gz.</summary>
internal static class TarEntries
{
    /// <summary>Writes them all below a folder.</summary>
    /// <exception cref="DataException">An entry is no plain file or folder, or would be written outside.</exception>
    public static void Extract(string archive, string root, CancellationToken cancellation)
    {
        using var file = File.OpenRead(archive);
        using var zip = new GZipStream(file, CompressionMode.Decompress);
        using var tar = new TarReader(zip);
        while (tar.GetNextEntry() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            Extract(entry, archive, root);
        }
    }

    private static void Extract(TarEntry entry, string archive, string root)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes)
            return;
        string? path = Archive.PathOf(entry.Name, archive, root);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path ?? root);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                Archive.Write(path ?? root, entry.DataStream);
                break;
            default:
                throw new DataException($"{archive}: the entry '{entry.Name}' is a {entry.EntryType}; "
                    + "only files and folders are expected. Nothing was unpacked.");
        }
    }
}
