using System.Buffers.Binary;

namespace Dom.Nn.StateDictionaries;

/// <summary>A safetensors file in memory: named tensors and a map of strings.</summary>
/// <remarks>
/// The format: 8 bytes, the header's length N (little-endian); N bytes of JSON, name -> dtype, shape, data_offsets, and
/// optionally <c>__metadata__</c>; then the raw data. Everything is checked before a tensor is handed out, so a torn or
/// foreign file gives one <see cref="CheckpointException"/> and never half a state dictionary.
/// </remarks>
public sealed class SafetensorsFile
{
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(string name, IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Name = name;
        Entries = [.. entries.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        Metadata = metadata;
        _byName = Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The path or name that the file was read under; messages use it.</summary>
    public string Name { get; }

    /// <summary>The tensors, in ordinal order of their names.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The strings of <c>__metadata__</c>; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="CheckpointException">The file has no such tensor.</exception>
    public SafetensorsEntry this[string name] => Find(name) ?? throw new CheckpointException(
        $"{Name}: has no tensor \"{name}\" among its {Entries.Count}; is this the checkpoint of another model?");

    /// <summary>The tensor called <paramref name="name"/>, or null.</summary>
    public SafetensorsEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="CheckpointException">The file is absent, unreadable, torn, oversized or not of this format.</exception>
    public static SafetensorsFile Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Read(stream, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException($"{path}: there is no such file. Check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read ({e.Message.TrimEnd('.')}). Check that it is a file and readable.", e);
        }
    }

    /// <summary>Reads and checks what is left in <paramref name="stream"/>.</summary>
    /// <param name="stream">A stream that can seek, at the first byte of the file.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="CheckpointException">The content is torn, oversized or not of this format.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek, so its length is not known.</exception>
    public static SafetensorsFile Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
            throw new ArgumentException($"{name}: reading safetensors needs a stream that can seek.", nameof(stream));
        long length = stream.Length - stream.Position;
        var prefix = new byte[(int)Math.Min(8, length)];
        Fill(stream, prefix, name);
        int headerLength = ReadHeaderLength(prefix, length, name);
        var json = new byte[headerLength];
        Fill(stream, json, name);
        var header = SafetensorsHeader.Parse(json, length - 8 - headerLength, name);
        var entries = new List<SafetensorsEntry>(header.Slots.Count);
        foreach (var slot in header.Slots) // by offset, without gaps: one pass over the stream
        {
            var data = new byte[slot.End - slot.Begin];
            Fill(stream, data, name);
            entries.Add(new SafetensorsEntry(slot.Name, slot.DType, slot.Shape, data));
        }
        return new SafetensorsFile(name, entries, header.Metadata);
    }

    /// <summary>Reads and checks a file that is already in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="CheckpointException">The content is torn, oversized or not of this format.</exception>
    public static SafetensorsFile Read(ReadOnlySpan<byte> bytes, string name)
    {
        int headerLength = ReadHeaderLength(bytes[..Math.Min(8, bytes.Length)], bytes.Length, name);
        var data = bytes[(8 + headerLength)..];
        var header = SafetensorsHeader.Parse(bytes.Slice(8, headerLength).ToArray(), data.Length, name);
        var entries = new List<SafetensorsEntry>(header.Slots.Count);
        foreach (var slot in header.Slots)
            entries.Add(new SafetensorsEntry(slot.Name, slot.DType, slot.Shape, data[(int)slot.Begin..(int)slot.End].ToArray()));
        return new SafetensorsFile(name, entries, header.Metadata);
    }

    /// <summary>Writes a file, over an old one if there is one; a checkpoint that must survive a crash goes through a temporary file instead.</summary>
    /// <exception cref="ArgumentException">Two entries share a name, or an entry's data do not fit its shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var (header, order) = SafetensorsHeader.Encode(entries, metadata); // before the old file is touched
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
        Write(stream, header, order);
    }

    /// <summary>Writes the file's bytes to <paramref name="stream"/>. The same entries in any order give the same bytes.</summary>
    /// <exception cref="ArgumentException">Two entries share a name, or an entry's data do not fit its shape.</exception>
    public static void Write(Stream stream, IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var (header, order) = SafetensorsHeader.Encode(entries, metadata);
        Write(stream, header, order);
    }

    private static void Write(Stream stream, byte[] header, SafetensorsEntry[] order)
    {
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach (var entry in order)
            stream.Write(entry.Data);
    }

    private static int ReadHeaderLength(ReadOnlySpan<byte> prefix, long fileLength, string name)
    {
        if (prefix.Length < 8)
            throw SafetensorsHeader.Bad(name, $"{fileLength} bytes are too short for a safetensors file, which starts with 8 bytes of header length");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > SafetensorsHeader.MaximumLength)
            throw SafetensorsHeader.Bad(name, $"the first 8 bytes give a header of {length} bytes, at most {SafetensorsHeader.MaximumLength} are allowed; this is no safetensors file");
        if ((long)length > fileLength - 8)
            throw SafetensorsHeader.Bad(name, $"the header should have {length} bytes, but only {fileLength - 8} follow; the file is cut short or no safetensors file");
        return (int)length;
    }

    private static void Fill(Stream stream, byte[] buffer, string name)
    {
        int got = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (got < buffer.Length)
            throw SafetensorsHeader.Bad(name, $"the file ended {buffer.Length - got} bytes early while it was being read");
    }
}
