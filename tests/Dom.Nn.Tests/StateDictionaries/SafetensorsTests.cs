using System.Buffers.Binary;
using System.Text;
using Dom.Nn.StateDictionaries;

namespace Dom.Nn.Tests.StateDictionaries;

public class SafetensorsTests
{
    private static readonly SafetensorsEntry[] s_entries =
    [
        SafetensorsEntry.FromBytes("mask", [3], [1, 0, 255]),
        SafetensorsEntry.FromFloats("layer.weight", [2, 3], [1, -2, 0.5f, float.NaN, float.PositiveInfinity, 1e-42f]),
        SafetensorsEntry.FromInt64("steps", [], [1L << 40]),
        SafetensorsEntry.FromInt32("labels", [2, 1], [-7, int.MaxValue]),
        SafetensorsEntry.FromDoubles("precise", [1], [Math.PI]),
        SafetensorsEntry.FromFloats("empty", [0, 4], []),
    ];

    private static readonly Dictionary<string, string> s_metadata = new() { ["model"] = "größer \"x\"", ["epoch"] = "3" };

    internal static byte[] Bytes(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafetensorsFile.Write(stream, entries, metadata);
        return stream.ToArray();
    }

    internal static byte[] SampleBytes() => Bytes(s_entries, s_metadata);

    private static byte[] WithHeader(string json, int dataBytes)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    [Test]
    public void What_was_written_is_read_back_from_a_file_a_stream_and_memory()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "round-trip.safetensors");
        SafetensorsFile.Write(path, s_entries, s_metadata);
        var bytes = File.ReadAllBytes(path);
        using var stream = new MemoryStream([1, 2, .. bytes]) { Position = 2 };
        foreach (var file in new[] { SafetensorsFile.Read(path), SafetensorsFile.Read(stream, "s"), SafetensorsFile.Read(bytes, "m") })
        {
            Assert.That(file.Entries.Select(e => e.Name), Is.EqualTo(new[] { "empty", "labels", "layer.weight", "mask", "precise", "steps" }));
            Assert.That(file.Metadata, Is.EqualTo(s_metadata));
            foreach (var entry in s_entries)
            {
                var read = file[entry.Name];
                Assert.That((read.DType, read.Shape, read.Data), Is.EqualTo((entry.DType, entry.Shape, entry.Data)));
            }
            Assert.That(file["steps"].ToInt64(), Is.EqualTo(new[] { 1L << 40 }));
            Assert.That(file["labels"].ToInt32(), Is.EqualTo(new[] { -7, int.MaxValue }));
            Assert.That(file["mask"].ToBytes(), Is.EqualTo(new byte[] { 1, 0, 255 }));
            Assert.That(file["precise"].ToDoubles(), Is.EqualTo(new[] { Math.PI }));
            Assert.That(file["layer.weight"].ToFloats()[2], Is.EqualTo(0.5f));
            Assert.That(file["steps"].Count, Is.EqualTo(1));
        }
    }

    [Test]
    public void The_bytes_do_not_depend_on_the_order_in_which_entries_are_given() =>
        Assert.That(Bytes(s_entries.Reverse(), s_metadata.Reverse().ToDictionary()), Is.EqualTo(SampleBytes()));

    [Test]
    public void The_layout_is_the_one_that_the_format_describes()
    {
        // Written out by hand: the wider type first, the header padded to a multiple of 8.
        const string header = """{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}""";
        string padded = header.PadRight((header.Length + 7) / 8 * 8);
        byte[] expected = [(byte)padded.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(padded), 0, 0, 0x80, 0x3F, 5, 6];
        Assert.That(Bytes([SafetensorsEntry.FromBytes("a", [2], [5, 6]), SafetensorsEntry.FromFloats("b", [1], [1])]), Is.EqualTo(expected));
    }

    [Test]
    public void Half_precision_is_read_as_floats_exactly()
    {
        var bf16 = new SafetensorsEntry("b", SafetensorsDType.BF16, [2], [0x80, 0x3F, 0x20, 0xC1]);
        var f16 = new SafetensorsEntry("h", SafetensorsDType.F16, [2], [0x00, 0x3C, 0x00, 0xC9]);
        Assert.That(bf16.ToFloats(), Is.EqualTo(new[] { 1f, -10f }));
        Assert.That(f16.ToFloats(), Is.EqualTo(new[] { 1f, -10f }));
    }

    [Test]
    public void Asking_for_another_type_or_an_absent_tensor_says_so()
    {
        var file = SafetensorsFile.Read(SampleBytes(), "x.safetensors");
        Assert.That(() => file["labels"].ToFloats(), Throws.TypeOf<CheckpointException>().With.Message.Contains("\"labels\" holds I32"));
        Assert.That(() => file["fc.weight"], Throws.TypeOf<CheckpointException>().With.Message.StartsWith("x.safetensors: has no tensor \"fc.weight\""));
        Assert.That(file.Find("fc.weight"), Is.Null);
    }

    [Test]
    public void Data_that_do_not_fit_the_shape_and_repeated_names_are_refused_before_the_old_file_is_touched()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "kept.safetensors");
        File.WriteAllText(path, "old");
        var one = SafetensorsEntry.FromFloats("a", [1], [1]);
        Assert.That(() => SafetensorsFile.Write(path, [one, one]), Throws.ArgumentException.With.Message.Contains("unique"));
        Assert.That(() => SafetensorsFile.Write(path, [one with { Shape = [2] }]), Throws.ArgumentException.With.Message.Contains("is 8 bytes, got 4"));
        Assert.That(() => SafetensorsFile.Write(path, [one with { DType = "F31" }]), Throws.ArgumentException.With.Message.Contains("F31"));
        Assert.That(() => SafetensorsEntry.FromFloats("a", [3], [1, 2]), Throws.ArgumentException);
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
    }

    private const string A = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";

    [TestCase("", 0, "header is not the JSON", TestName = "An_empty_header")]
    [TestCase("[1,2]", 0, "header is not the JSON", TestName = "A_header_that_is_no_object")]
    [TestCase("{\"a\":", 0, "header is not the JSON", TestName = "A_header_cut_inside")]
    [TestCase(A + "}", 4, "has only 4; it is cut short", TestName = "Data_cut_short")]
    [TestCase(A + "}", 11, "3 bytes follow the last tensor", TestName = "Trailing_bytes")]
    [TestCase("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown type \"F31\"", TestName = "An_unknown_type")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "needs 12 bytes, its data_offsets give 8", TestName = "A_shape_of_another_size")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],\"data_offsets\":[0,8]}}", 8, "more than 2^63", TestName = "A_shape_that_overflows")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,8]}}", 8, "integers from 0 up", TestName = "A_negative_extent")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}", 8, "integers from 0 up", TestName = "A_fractional_extent")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "needs a dtype, a shape and two data_offsets", TestName = "No_offsets")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "before its begin", TestName = "Offsets_backwards")]
    [TestCase(A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "overlaps tensor \"a\"", TestName = "Overlapping_tensors")]
    [TestCase(A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16, "belong to no tensor", TestName = "A_hole")]
    [TestCase(A + ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16, "names \"a\" twice", TestName = "A_repeated_name")]
    [TestCase(A + ",\"__metadata__\":{\"x\":1}}", 8, "must be a string", TestName = "Metadata_that_are_no_strings")]
    [TestCase(A + ",\"__metadata__\":7}", 8, "must be a map of strings", TestName = "Metadata_that_are_no_map")]
    [TestCase("{\"\\uD800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "header is not the JSON", TestName = "A_name_that_is_no_text")]
    public void Is_named_with_the_file_and_what_to_do(string json, int dataBytes, string message)
    {
        var bytes = WithHeader(json, dataBytes);
        using var stream = new MemoryStream(bytes);
        Func<SafetensorsFile>[] readers =
        [
            () => SafetensorsFile.Read(bytes, "torn.safetensors"),
            () => SafetensorsFile.Read(stream, "torn.safetensors"),
        ];
        foreach (var read in readers)
        {
            Assert.That(() => read(), Throws.TypeOf<CheckpointException>().With.Message.StartsWith("torn.safetensors: ")
                .And.Message.Contains(message).And.Message.Contains("Copy the file again"));
        }
    }

    [Test]
    public void A_file_that_is_too_short_or_gives_an_absurd_header_length_is_refused()
    {
        Assert.That(() => SafetensorsFile.Read([1, 2, 3], "x"), Throws.TypeOf<CheckpointException>().With.Message.Contains("3 bytes are too short"));
        var html = Encoding.ASCII.GetBytes("<!DOCTYPE html><html>not found</html>");
        Assert.That(() => SafetensorsFile.Read(html, "x"), Throws.TypeOf<CheckpointException>().With.Message.Contains("no safetensors file"));
        byte[] longer = [50, 0, 0, 0, 0, 0, 0, 0, (byte)'{'];
        Assert.That(() => SafetensorsFile.Read(longer, "x"), Throws.TypeOf<CheckpointException>().With.Message.Contains("should have 50 bytes, but only 1 follow"));
        Assert.That(() => SafetensorsFile.Read("/nowhere/x.safetensors"), Throws.TypeOf<CheckpointException>().With.Message.Contains("no such file"));
        Assert.That(() => SafetensorsFile.Read(Path.GetTempPath()), Throws.TypeOf<CheckpointException>());
    }
}
