using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dom.Train.Tests.Data.Download;

/// <summary>What the server was asked.</summary>
/// <param name="Path">The path of the address.</param>
/// <param name="RangeStart">First byte asked for, or null without a Range header.</param>
internal sealed record Asked(string Path, long? RangeStart);

/// <summary>What it answers: a status line, header lines and a body, of which it may send only the first bytes before it hangs up.</summary>
internal sealed record Answer(string Status, byte[] Body, string Headers = "", int? HangUpAfter = null);

/// <summary>An HTTP server on a free port of 127.0.0.1 that can misbehave: one request a connection, answered by a function.</summary>
internal sealed class LocalServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Asked, Answer> _answer;
    private readonly List<Asked> _asked = [];

    public LocalServer(Func<Asked, Answer> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/files";

    /// <summary>The requests so far.</summary>
    public IReadOnlyList<Asked> Requests
    {
        get
        {
            lock (_asked)
                return [.. _asked];
        }
    }

    /// <summary>The usual answer of a server that knows Range.</summary>
    public static Answer Serve(byte[] content, Asked asked, int? hangUpAfter = null)
    {
        if (asked.RangeStart is not { } start)
            return new Answer("200 OK", content, HangUpAfter: hangUpAfter);
        return start < content.Length
            ? new Answer("206 Partial Content", content[(int)start..], $"Content-Range: bytes {start}-{content.Length - 1}/{content.Length}\r\n", hangUpAfter)
            : new Answer("416 Range Not Satisfiable", [], $"Content-Range: bytes */{content.Length}\r\n");
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                var stream = client.GetStream();
                var asked = await ReadAsync(stream);
                lock (_asked)
                    _asked.Add(asked);
                var answer = _answer(asked);
                string head = $"HTTP/1.1 {answer.Status}\r\nContent-Length: {answer.Body.Length}\r\nConnection: close\r\n{answer.Headers}\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
                await stream.WriteAsync(answer.Body.AsMemory(0, answer.HangUpAfter ?? answer.Body.Length));
            }
        }
        catch (Exception error) when (error is ObjectDisposedException or SocketException or IOException)
        {
            // The test is over, or the client hung up.
        }
    }

    private static async Task<Asked> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            int read = await stream.ReadAsync(buffer);
            if (read == 0)
                break;
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
        var lines = text.ToString().Split("\r\n");
        string? range = lines.FirstOrDefault(line => line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase));
        return new Asked(lines[0].Split(' ')[1], range is null ? null : long.Parse(range["Range: bytes=".Length..].TrimEnd('-')));
    }
}
