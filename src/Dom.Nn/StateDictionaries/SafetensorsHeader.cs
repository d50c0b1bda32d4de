using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Dom.Nn.StateDictionaries;

/// <summary>Where one tensor lies: <c>Begin</c> and <c>End</c> count from the first byte after the header.</summary>
internal readonly record struct SafetensorsSlot(string Name, string DType, long[] Shape, long Begin, long End);

/// <summary>The JSON header of a safetensors file: read with every check, written with one byte layout per content.</summary>
internal sealed record SafetensorsHeader(IReadOnlyList<SafetensorsSlot> Slots, SortedDictionary<string, string> Metadata)
{
    /// <summary>The reference implementation refuses longer headers too: such a length is garbage, not a header.</summary>
    public const long MaximumLength = 100_000_000;

    public const string MetadataKey = "__metadata__";

    private const string Advice = "Copy the file again from where it came, or use another checkpoint.";

    /// <summary>Reads the header and proves that its slots fill the data section without gap or overlap.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <param name="file">What messages call the file.</param>
    /// <exception cref="CheckpointException">Anything that the format forbids.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength, string file)
    {
        if (json.Length == 0 || json.Span[0] != (byte)'{' || !Utf8.IsValid(json.Span))
            throw NotJson(file, "it does not start with '{' or is not UTF-8", null);
        try
        {
            using var document = JsonDocument.Parse(json);
            var slots = new List<SafetensorsSlot>();
            var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                    throw Bad(file, $"the header names \"{property.Name}\" twice; names must be unique");
                if (property.Name == MetadataKey)
                    ReadMetadata(property.Value, metadata, file);
                else
                    slots.Add(ReadSlot(property.Name, property.Value, file));
            }
            slots.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
            CheckCoverage(slots, dataLength, file);
            return new SafetensorsHeader(slots, metadata);
        }
        // A lone surrogate written as an escape is valid JSON and no string: the second type.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw NotJson(file, e.Message, e);
        }
    }

    /// <summary>Lays out the data and encodes the header, padded with spaces so that the data starts on 8 bytes.</summary>
    /// <remarks>
    /// Wider types lie first, then names in ordinal order: every tensor is aligned to its element, which readers
    /// that map the file rely on.
    /// </remarks>
    public static (byte[] Header, SafetensorsEntry[] Order) Encode(
        IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        var order = entries.ToArray();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in order)
        {
            entry.Validate();
            if (entry.Name == MetadataKey || !names.Add(entry.Name))
                throw new ArgumentException($"tensor \"{entry.Name}\": names must be unique and not {MetadataKey}.");
        }
        Array.Sort(order, CompareLayout);

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
                WriteMetadata(writer, metadata);
            long offset = 0;
            foreach (var entry in order)
            {
                WriteSlot(writer, entry, offset);
                offset += entry.Data.Length;
            }
            writer.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return (buffer.ToArray(), order);
    }

    /// <summary>An error of the file as a whole, with the advice that fits all of them.</summary>
    public static CheckpointException Bad(string file, string problem, Exception? inner = null)
    {
        string message = $"{file}: {problem}. {Advice}";
        return inner is null ? new CheckpointException(message) : new CheckpointException(message, inner);
    }

    private static CheckpointException NotJson(string file, string detail, Exception? inner) =>
        Bad(file, $"the header is not the JSON object of a safetensors file ({detail.TrimEnd('.')})", inner);

    private static int CompareLayout(SafetensorsEntry a, SafetensorsEntry b)
    {
        SafetensorsDType.TryGetSize(a.DType, out int sizeA);
        SafetensorsDType.TryGetSize(b.DType, out int sizeB);
        return sizeA != sizeB ? sizeB.CompareTo(sizeA) : string.CompareOrdinal(a.Name, b.Name);
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject(MetadataKey);
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static void WriteSlot(Utf8JsonWriter writer, SafetensorsEntry entry, long offset)
    {
        writer.WriteStartObject(entry.Name);
        writer.WriteString("dtype", entry.DType);
        writer.WriteStartArray("shape");
        foreach (long extent in entry.Shape)
            writer.WriteNumberValue(extent);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(offset + entry.Data.Length);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void ReadMetadata(JsonElement value, SortedDictionary<string, string> metadata, string file)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Bad(file, $"{MetadataKey} must be a map of strings, got {value.ValueKind}");
        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw Bad(file, $"{MetadataKey} \"{property.Name}\" must be a string, got {property.Value.ValueKind}");
            if (!metadata.TryAdd(property.Name, property.Value.GetString()!))
                throw Bad(file, $"{MetadataKey} names \"{property.Name}\" twice; names must be unique");
        }
    }

    private static SafetensorsSlot ReadSlot(string name, JsonElement value, string file)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var extents) || !TryReadIntegers(extents, out long[] shape)
            || !value.TryGetProperty("data_offsets", out var range) || !TryReadIntegers(range, out long[] offsets)
            || offsets.Length != 2)
        {
            throw Bad(file, $"tensor \"{name}\" needs a dtype, a shape and two data_offsets, all integers from 0 up");
        }
        string dtype = type.GetString()!;
        if (!SafetensorsDType.TryGetSize(dtype, out int elementSize))
            throw Bad(file, $"tensor \"{name}\" is of the unknown type \"{dtype}\"; known are {SafetensorsDType.KnownNames}");
        var (begin, end) = (offsets[0], offsets[1]);
        if (begin > end)
            throw Bad(file, $"tensor \"{name}\" ends at byte {end}, before its begin {begin}");
        long expected = SafetensorsDType.SizeOf(shape, elementSize);
        if (expected != end - begin)
            throw Bad(file, $"tensor \"{name}\": {dtype} [{string.Join(", ", shape)}] needs " +
                (expected < 0 ? "more than 2^63" : expected.ToString()) + $" bytes, its data_offsets give {end - begin}");
        if (expected > Array.MaxLength)
            throw Bad(file, $"tensor \"{name}\" has {expected} bytes; up to {Array.MaxLength} can be read");
        return new SafetensorsSlot(name, dtype, shape, begin, end);
    }

    private static bool TryReadIntegers(JsonElement array, out long[] values)
    {
        values = [];
        if (array.ValueKind != JsonValueKind.Array)
            return false;
        values = new long[array.GetArrayLength()];
        int i = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out values[i]) || values[i++] < 0)
                return false;
        }
        return true;
    }

    private static void CheckCoverage(List<SafetensorsSlot> slots, long dataLength, string file)
    {
        long position = 0;
        string previous = "the header";
        foreach (var slot in slots)
        {
            if (slot.Begin < position)
                throw Bad(file, $"tensor \"{slot.Name}\" starts at byte {slot.Begin} and overlaps {previous}, which ends at {position}");
            if (slot.Begin > position)
                throw Bad(file, $"bytes {position} to {slot.Begin} between {previous} and tensor \"{slot.Name}\" belong to no tensor");
            if (slot.End > dataLength)
                throw Bad(file, $"tensor \"{slot.Name}\" ends at byte {slot.End} of the data, but the file has only {dataLength}; it is cut short");
            position = slot.End;
            previous = $"tensor \"{slot.Name}\"";
        }
        if (position != dataLength)
            throw Bad(file, $"{dataLength - position} bytes follow the last tensor; the header describes {position} bytes of data, the file has {dataLength}");
    }
}
