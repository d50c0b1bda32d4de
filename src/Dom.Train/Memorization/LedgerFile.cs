using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Dom.Nn.StateDictionaries;

namespace Dom.Train.Memorization;

/// <summary>
/// One <c>.npy</c> file of the ledger: a header of always 128 bytes, so that the row count in it can be rewritten in
/// place, then rows of four-byte elements.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Type"><c>&lt;f4</c> or <c>&lt;i4</c>, as numpy writes f32 and i32.</param>
/// <param name="Epochs">Rows that the header vouches for; null for a static column, which has one dimension.</param>
/// <param name="Samples">Elements of a row.</param>
internal sealed partial record LedgerFile(string Path, string Type, int? Epochs, int Samples)
{
    public const int HeaderLength = 128;
    public const string Float32 = "<f4", Int32 = "<i4";
    private const int ElementSize = 4;

    private long RowBytes => (long)Samples * ElementSize;

    /// <summary>The header of numpy's format 1.0: magic, version, length, a Python dictionary, spaces, a line feed.</summary>
    public byte[] EncodeHeader()
    {
        string shape = Epochs is int epochs ? $"{epochs}, {Samples}" : $"{Samples},";
        string dictionary = $"{{'descr': '{Type}', 'fortran_order': False, 'shape': ({shape}), }}";
        return [0x93, .. "NUMPY"u8, 1, 0, HeaderLength - 10, 0, .. Encoding.ASCII.GetBytes(dictionary.PadRight(HeaderLength - 11)), (byte)'\n'];
    }

    /// <summary>Reads and checks a file's header and that the file holds what the header says.</summary>
    /// <remarks>Bytes past the last row are no error: they are the row that was being written when the process ended.</remarks>
    /// <exception cref="CheckpointException">The file is absent, torn, or not one of the ledger's.</exception>
    public static LedgerFile Read(string path)
    {
        try
        {
            using var stream = OpenToRead(path);
            var header = new byte[HeaderLength];
            int got = stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false);
            var match = Dictionary().Match(Encoding.Latin1.GetString(header, 0, got));
            if (got < HeaderLength || !match.Success
                || !int.TryParse(match.Groups["first"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int first))
                throw new CheckpointException($"{path}: does not start with the 128-byte header of a ledger column. Restore the file or start the run again.");
            string second = match.Groups["second"].Value;
            if (second.Length == 0)
                return new LedgerFile(path, match.Groups["type"].Value, null, first).Checked(stream.Length);
            if (!int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int samples))
                throw new CheckpointException($"{path}: gives {second} samples, more than a ledger can hold. Restore the file or start the run again.");
            return new LedgerFile(path, match.Groups["type"].Value, first, samples).Checked(stream.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read ({e.Message.TrimEnd('.')}). Check the ledger's folder.", e);
        }
    }

    /// <summary>Copies row <paramref name="epoch"/> (0 in a static column) into <paramref name="row"/>.</summary>
    public void ReadRow<T>(int epoch, Span<T> row) where T : unmanaged
    {
        using var stream = OpenToRead(Path);
        stream.Position = HeaderLength + epoch * RowBytes;
        stream.ReadExactly(MemoryMarshal.AsBytes(row));
    }

    /// <summary>Puts a row after the last one and onto the disk; the header does not vouch for it yet.</summary>
    public void WriteRowBehind(ReadOnlySpan<float> row)
    {
        using var stream = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Position = HeaderLength + Epochs!.Value * RowBytes;
        stream.Write(MemoryMarshal.AsBytes(row));
        stream.SetLength(stream.Position);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Rewrites the header with another row count, and cuts the file behind that row where asked to.</summary>
    public LedgerFile WithEpochs(int epochs, bool cuts)
    {
        var changed = this with { Epochs = epochs };
        using var stream = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Write(changed.EncodeHeader());
        if (cuts)
            stream.SetLength(HeaderLength + epochs * RowBytes);
        return changed;
    }

    private LedgerFile Checked(long length)
    {
        long expected = HeaderLength + (Epochs ?? 1) * RowBytes;
        return length >= expected ? this : throw new CheckpointException(
            $"{Path}: should hold {Epochs ?? 1} rows of {Samples} samples, {expected} bytes, but has {length}; it is cut short. Restore the file or start the run again.");
    }

    // A ledger may be read while a run is appending to it.
    private static FileStream OpenToRead(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);

    [GeneratedRegex(@"^\u0093NUMPY\u0001\u0000v\u0000\{'descr': '(?<type><[fi]4)', 'fortran_order': False, 'shape': \((?<first>\d+),(?: (?<second>\d+))?\), \} *\n$", RegexOptions.CultureInvariant)]
    private static partial Regex Dictionary();
}
