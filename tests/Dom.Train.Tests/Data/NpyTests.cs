using System.Text;
using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class NpyTests
{
    private static byte[] File(string header, int dataBytes, byte major = 1)
    {
        byte[] text = Encoding.Latin1.GetBytes(header);
        byte[] length = major == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, major, 0, .. length, .. text, .. Enumerable.Range(0, dataBytes).Select(i => (byte)i)];
    }

    private static string Header(string descr = "|u1", string order = "False", string shape = "(2, 3)") =>
        $"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n";

    [TestCase((byte)1)]
    [TestCase((byte)2)]
    [TestCase((byte)3)]
    public void Every_header_version_is_read(byte major)
    {
        using var folder = new ScratchFolder();
        var array = Npy.Read(folder.Write("a.npy", File(Header(), 6, major)));
        Assert.Multiple(() =>
        {
            Assert.That(array.Shape, Is.EqualTo(new[] { 2, 3 }));
            Assert.That(array.Data, Is.EqualTo(new byte[] { 0, 1, 2, 3, 4, 5 }));
        });
    }

    [Test]
    public void What_is_written_reads_back()
    {
        using var folder = new ScratchFolder();
        Npy.Write(folder["f"], new[] { 1.5f, -2f, float.NaN }, 3, 1);
        Npy.Write(folder["l"], new[] { long.MinValue, 7 }, 2);
        Npy.Write(folder["i"], new[] { -5 });
        Npy.Write(folder["b"], Array.Empty<byte>(), 0, 4);
        Assert.Multiple(() =>
        {
            Assert.That(Npy.Read(folder["f"]).ToSingle(), Is.EqualTo(new[] { 1.5f, -2f, float.NaN }));
            Assert.That(Npy.Read(folder["f"]).Shape, Is.EqualTo(new[] { 3, 1 }));
            Assert.That(Npy.Read(folder["l"]).ToInt64(), Is.EqualTo(new[] { long.MinValue, 7 }));
            Assert.That(Npy.Read(folder["i"]).ToInt64(), Is.EqualTo(new long[] { -5 }));
            Assert.That(Npy.Read(folder["i"]).Shape, Is.Empty);
            Assert.That(Npy.Read(folder["b"]).Shape, Is.EqualTo(new[] { 0, 4 }));
        });
    }

    [Test]
    public void NumPy_reads_what_is_written_and_the_other_way_round()
    {
        using var folder = new ScratchFolder();
        Npy.Write(folder["f.npy"], new[] { 1.5f, -2f, 0.25f, 4f, 5f, 6f }, 2, 3);
        Npy.Write(folder["b.npy"], new byte[] { 1, 255 }, 2);
        string printed = SharedData.PythonOrSkip($"""
            import numpy
            f = numpy.load(r'{folder["f.npy"]}'); b = numpy.load(r'{folder["b.npy"]}')
            print(f.dtype, f.shape, f.tolist(), b.dtype, b.tolist())
            numpy.save(r'{folder["i4.npy"]}', numpy.arange(-2, 4, dtype='int32').reshape(3, 2))
            numpy.save(r'{folder["fortran.npy"]}', numpy.asfortranarray(numpy.zeros((2, 3), dtype='float32')))
            """, "numpy");
        Assert.Multiple(() =>
        {
            Assert.That(printed.Trim(), Is.EqualTo("float32 (2, 3) [[1.5, -2.0, 0.25], [4.0, 5.0, 6.0]] uint8 [1, 255]"));
            Assert.That(Npy.Read(folder["i4.npy"]).ToInt64(), Is.EqualTo(new long[] { -2, -1, 0, 1, 2, 3 }));
            Assert.That(() => Npy.Read(folder["fortran.npy"]), Throws.TypeOf<DataException>().With.Message.Contains("ascontiguousarray"));
        });
    }

    [Test]
    public void A_file_that_cannot_be_written_is_a_DataException_with_its_path()
    {
        using var folder = new ScratchFolder();
        string path = folder["absent/a.npy"];
        Assert.That(() => Npy.Write(path, new byte[1], 1), Throws.TypeOf<DataException>().With.Message.StartsWith(path));
    }

    private static IEnumerable<TestCaseData> BadFiles()
    {
        yield return new TestCaseData(File(Header(), 5), "truncated").SetArgDisplayNames("truncated data");
        yield return new TestCaseData(File(Header(), 7), "too long").SetArgDisplayNames("data too long");
        yield return new TestCaseData(File(Header(), 0)[..20], "ends inside its header").SetArgDisplayNames("truncated header");
        yield return new TestCaseData(File(Header(), 6, 2)[..11], "ends inside its header").SetArgDisplayNames("truncated length");
        yield return new TestCaseData(File(Header(), 6, 9), "versions 1 to 3").SetArgDisplayNames("unknown version");
        yield return new TestCaseData(File(Header(order: "True"), 6), "Fortran").SetArgDisplayNames("Fortran order");
        yield return new TestCaseData(File(Header(descr: ">f4"), 24), "little-endian").SetArgDisplayNames("big-endian");
        yield return new TestCaseData(File(Header(descr: "<f8"), 48), "astype").SetArgDisplayNames("f8");
        yield return new TestCaseData(File(Header(shape: "(99999999999,)"), 6), "99999999999").SetArgDisplayNames("absurd size");
        yield return new TestCaseData(File(Header(shape: "(2000000000, 2000000000, 2000000000)"), 6), "truncated").SetArgDisplayNames("overflowing size");
        yield return new TestCaseData(File("{'descr': '|u1'}", 6), "damaged").SetArgDisplayNames("incomplete header");
        yield return new TestCaseData("PK and more bytes"u8.ToArray(), "numpy.save").SetArgDisplayNames("not npy");
        yield return new TestCaseData("<html></html>"u8.ToArray(), "web page").SetArgDisplayNames("a web page");
        yield return new TestCaseData(Array.Empty<byte>(), "empty").SetArgDisplayNames("empty");
    }

    [TestCaseSource(nameof(BadFiles))]
    public void A_bad_file_is_named_with_what_is_wrong(byte[] content, string part)
    {
        using var folder = new ScratchFolder();
        string path = folder.Write("a.npy", content);
        Assert.That(() => Npy.Read(path), Throws.TypeOf<DataException>().With.Message.StartsWith(path).And.Message.Contains(part));
    }

    [Test]
    public void No_mutation_of_a_good_file_brings_anything_but_an_array_or_a_DataException()
    {
        using var folder = new ScratchFolder();
        byte[] good = File(Header(), 6);
        for (int seed = 0; seed < 500; seed++)
        {
            var random = Tensors.RandomStream.For((ulong)seed, Tensors.RandomPurpose.Test);
            byte[] bytes = good[..(good.Length - random.Below(0, 3) * random.Below(1, 20))];
            for (int k = 0; k < 3; k++)
                bytes[random.Below(2 + 2 * k, bytes.Length)] = (byte)random.Word(3 + 2 * k);
            string path = folder.Write("a.npy", bytes);
            try
            {
                Npy.Read(path);
            }
            catch (DataException error)
            {
                Assert.That(error.Message, Does.StartWith(path));
            }
        }
    }
}
