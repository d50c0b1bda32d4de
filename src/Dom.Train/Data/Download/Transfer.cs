using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Dom.Train.Data.Download;

/// <summary>Brings one file from one address into a .part file, in as many runs as the connection takes.</summary>
internal sealed class Transfer(HttpClient client, Uri address, DownloadFile file, string partPath, TimeSpan stallLimit) : IDisposable
{
    private IncrementalHash _hash = Md5.Create();

    public string PartPath => partPath;

    /// <summary>Bytes in the .part file after the last run.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether the last run went on from bytes that were there before it.</summary>
    public bool Resumed { get; private set; }

    /// <summary>Whether the last run added a byte.</summary>
    public bool BroughtBytes { get; private set; }

    /// <summary>One request. Null when the server has sent everything, else what interrupted it.</summary>
    /// <exception cref="DownloadFailure">The server does not give this file.</exception>
    /// <exception cref="DataException">The .part file cannot be written.</exception>
    public async Task<string?> RunAsync(Action<DownloadProgress>? progress, CancellationToken cancellation)
    {
        (Resumed, BroughtBytes) = (false, false);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            using var part = Open();
            await HashExistingAsync(part, cancellation).ConfigureAwait(false);
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (Bytes > 0)
                request.Headers.Range = new RangeHeaderValue(Bytes, null);
            stall.CancelAfter(stallLimit);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
            return await ReceiveAsync(response, part, progress, stall).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"the connection brought nothing for {stallLimit.TotalSeconds:0} s";
        }
        catch (HttpRequestException error)
        {
            return error.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => $"the host {address.Host} is not known; is this machine connected to a network?",
                HttpRequestError.ConnectionError => $"no connection to {address.Host} ({error.Message})",
                _ => $"the connection failed ({error.Message})",
            };
        }
        catch (HttpIOException)
        {
            return "the connection broke off";
        }
        catch (NetworkException error)
        {
            return $"the connection broke off ({error.Message})";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{partPath}: cannot be written ({DiskError.Describe(error)}). {Bytes:N0} bytes are here; "
                + "a later run goes on from there.", error);
        }
    }

    /// <summary>The MD5 of the .part file, which was computed as the bytes came.</summary>
    public string Md5OfPart() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();

    private FileStream Open() => new(partPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private async Task HashExistingAsync(FileStream part, CancellationToken cancellation)
    {
        Restart();
        var buffer = new byte[1 << 17];
        int read;
        while ((read = await part.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            _hash.AppendData(buffer, 0, read);
            Bytes += read;
        }
    }

    private async Task<string?> ReceiveAsync(
        HttpResponseMessage response, FileStream part, Action<DownloadProgress>? progress, CancellationTokenSource stall)
    {
        var range = response.Content.Headers.ContentRange;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && Bytes > 0)
        {
            Resumed = true;
            if (range?.Length == Bytes)
                return null;
            part.SetLength(0);
            return "the server has a shorter file than what was here, which was dropped";
        }
        if (!response.IsSuccessStatusCode)
            throw new DownloadFailure($"the server answered {(int)response.StatusCode} {response.ReasonPhrase}");

        Resumed = Bytes > 0 && response.StatusCode == HttpStatusCode.PartialContent && range?.From == Bytes;
        if (!Resumed)
        {
            if (response.StatusCode == HttpStatusCode.PartialContent)
                throw new DownloadFailure("the server sent another part of the file than the one that was asked for");
            part.SetLength(0);
            Restart();
        }
        long? total = (Resumed ? range?.Length : response.Content.Headers.ContentLength) ?? file.Size;
        using var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        bool isSaidToBePage = response.Content.Headers.ContentType?.MediaType is "text/html";
        var buffer = new byte[1 << 17];
        while (true)
        {
            stall.CancelAfter(stallLimit);
            int read = await ReadAsync(body, buffer, stall.Token).ConfigureAwait(false);
            if (read == 0)
                return null;
            // Some servers call every file a page: gzip, which begins with 1f, is believed more than they are.
            if (Bytes == 0 && (DataFile.LooksLikeWebPage(buffer.AsSpan(0, read)) || (isSaidToBePage && buffer[0] != 0x1f)))
                throw new DownloadFailure("the server sent a web page in place of the file");
            await part.WriteAsync(buffer.AsMemory(0, read), stall.Token).ConfigureAwait(false);
            _hash.AppendData(buffer, 0, read);
            Bytes += read;
            BroughtBytes = true;
            progress?.Invoke(new DownloadProgress(file.Name, Bytes, total));
        }
    }

    /// <summary>Reads from the network, so that its errors are told from those of the disk.</summary>
    private static async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellation).ConfigureAwait(false);
        }
        catch (IOException error) when (error is not HttpIOException)
        {
            throw new NetworkException(error.Message);
        }
    }

    private void Restart()
    {
        _hash.Dispose();
        _hash = Md5.Create();
        Bytes = 0;
    }

    private sealed class NetworkException(string message) : Exception(message);
}
