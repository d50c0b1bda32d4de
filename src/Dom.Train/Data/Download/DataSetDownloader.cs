namespace Dom.Train.Data.Download;

/// <summary>How far the download of a file is.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Bytes">Bytes that are here, those of an earlier attempt included.</param>
/// <param name="Total">Bytes of the whole file, or null where neither the server nor the table says.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);

/// <summary>
/// Downloads data sets: goes on where an earlier attempt stopped, checks the published hash, tries one mirror after
/// the other, unpacks. What is in the data directory under its final name is complete and has the right hash.
/// </summary>
/// <param name="client">Makes the requests. Its own timeout should be infinite; a stalled connection ends after
/// <see cref="StallLimit"/>.</param>
public sealed class DataSetDownloader(HttpClient client)
{
    /// <summary>Attempts in a row that bring no new byte before the next mirror is tried.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Pause before an interrupted download goes on.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A connection that brings no byte for this long counts as broken.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Downloads what is missing of a data set and unpacks it.</summary>
    /// <param name="source">What to download, from <see cref="DownloadSource.Of"/>.</param>
    /// <param name="dataDirectory">The data directory, as <see cref="DataSets.Open"/> takes it; it is made if need
    /// be.</param>
    /// <param name="mirrors">Addresses of folders to take the files from in place of the built-in ones; null or empty
    /// for those.</param>
    /// <param name="progress">Called after each piece.</param>
    /// <param name="cancellation">Stops the download; what is here stays, and a later call goes on from there.</param>
    /// <returns>The folder that holds the files.</returns>
    /// <exception cref="DataException">No mirror gave the right file, or it cannot be stored or unpacked. The message
    /// says what each mirror did.</exception>
    /// <exception cref="InUseException">Another process downloads or unpacks one of the files.</exception>
    /// <exception cref="OperationCanceledException">It was stopped by <paramref name="cancellation"/>.</exception>
    public async Task<string> DownloadAsync(DownloadSource source, string dataDirectory, IReadOnlyList<string>? mirrors = null,
        Action<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        string folder = Path.Combine(dataDirectory, source.Folder);
        DataFile.CreateFolder(folder);
        foreach (var file in source.Files)
        {
            string path = Path.Combine(folder, file.Name);
            // File by file, as data sets may share some; until it is unpacked, as each unpacking begins by clearing what another left.
            using var held = ExclusiveLock.Take(path + ExclusiveLock.Suffix, path, "choose another --data-dir");
            bool wasThere;
            try
            {
                wasThere = await EnsureAsync(file, path, mirrors, progress, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new DataException($"{path}: cannot be read or written ({DiskError.Describe(error)}).", error);
            }
            // The folder appears in one step at the end of unpacking, so where it is, it is whole.
            if (source.UnpackedFolder is { } unpacked && !(wasThere && Directory.Exists(Path.Combine(folder, unpacked))))
                Archive.Unpack(path, folder, cancellation);
        }
        return source.UnpackedFolder is null ? folder : Path.Combine(folder, source.UnpackedFolder);
    }

    /// <summary>Whether the right file was there already; if not, it is after this.</summary>
    private async Task<bool> EnsureAsync(DownloadFile file, string path, IReadOnlyList<string>? mirrors,
        Action<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (File.Exists(path) && await Md5.OfFileAsync(path, cancellation).ConfigureAwait(false) == file.Md5)
            return true;
        var failures = new List<string>();
        foreach (string mirror in mirrors is { Count: > 0 } ? mirrors : file.Mirrors)
        {
            string address = mirror.TrimEnd('/') + "/" + file.Name;
            try
            {
                if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                    throw new DownloadFailure("this is not an http or https address");
                await FromMirrorAsync(uri, file, path, progress, cancellation).ConfigureAwait(false);
                return false;
            }
            catch (DownloadFailure failure)
            {
                failures.Add($"  {address}: {failure.Message}");
                if (new FileInfo(path + ".part") is { Exists: true, Length: 0 } empty)
                    empty.Delete();
            }
        }
        throw new DataException($"{file.Name} could not be downloaded:\n{string.Join("\n", failures)}\n"
            + $"Run the command again, give another --mirror, or put the file (MD5 {file.Md5}) at {path} by hand.");
    }

    private async Task FromMirrorAsync(Uri address, DownloadFile file, string path, Action<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var transfer = new Transfer(client, address, file, path + ".part", StallLimit);
        bool resumed = false;
        for (int attempt = 1; ; attempt++)
        {
            string? interruption = await transfer.RunAsync(progress, cancellation).ConfigureAwait(false);
            resumed |= transfer.Resumed;
            if (interruption is null)
            {
                string found = transfer.Md5OfPart();
                if (found == file.Md5)
                {
                    // A file that is there with another hash may be a person's own.
                    if (File.Exists(path))
                        File.Move(path, path + ".old", overwrite: true);
                    File.Move(transfer.PartPath, path);
                    return;
                }
                if (!resumed)
                {
                    string aside = path + ".bad";
                    File.Move(transfer.PartPath, aside, overwrite: true);
                    throw new DownloadFailure($"wrong contents: expected MD5 {file.Md5}, found {found} ({transfer.Bytes:N0} bytes, kept as {aside})");
                }
                // The beginning may be of another version of the file, or of another mirror: once more from the first byte.
                File.Delete(transfer.PartPath);
                (resumed, attempt) = (false, 0);
                continue;
            }
            if (transfer.BroughtBytes)
                attempt = 0;
            if (attempt >= Attempts)
                throw new DownloadFailure($"{interruption}, {transfer.Bytes:N0} bytes are here; a later run goes on from there");
            await Task.Delay(RetryDelay, cancellation).ConfigureAwait(false);
        }
    }
}

/// <summary>Why one mirror did not give the file; the next one is tried.</summary>
internal sealed class DownloadFailure(string message) : Exception(message);
