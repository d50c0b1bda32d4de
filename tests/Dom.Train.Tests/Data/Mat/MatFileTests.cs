using System.Text;
using Dom.Tensors;
using Dom.Train.Data;
using Dom.Train.Data.Mat;

namespace Dom.Train.Tests.Data.Mat;

public sealed class MatFileTests
{
    private const string What = "three labels (y)";

    // A file with y = [10; 1; 2] of class uint8, byte by byte from the description of the format: the name and the data are small elements.
    private static readonly byte[] s_littleEndian =
    [
        .. Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, Platform: GLNXA64".PadRight(116)), 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x01, (byte)'I', (byte)'M',
        0x0e, 0, 0, 0, 0x30, 0, 0, 0,
        0x06, 0, 0, 0, 0x08, 0, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0,
        0x05, 0, 0, 0, 0x08, 0, 0, 0, 0x03, 0, 0, 0, 0x01, 0, 0, 0,
        0x01, 0, 0x01, 0, (byte)'y', 0, 0, 0,
        0x02, 0, 0x03, 0, 10, 1, 2, 0,
    ];

    private static readonly byte[] s_bigEndian =
    [
        .. Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, Platform: SOL2".PadRight(116)), 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00, (byte)'M', (byte)'I',
        0, 0, 0, 0x0e, 0, 0, 0, 0x30,
        0, 0, 0, 0x06, 0, 0, 0, 0x08, 0, 0, 0, 0x09, 0, 0, 0, 0,
        0, 0, 0, 0x05, 0, 0, 0, 0x08, 0, 0, 0, 0x03, 0, 0, 0, 0x01,
        0, 0x01, 0, 0x01, (byte)'y', 0, 0, 0,
        0, 0x03, 0, 0x02, 10, 1, 2, 0,
    ];

    [TestCase(true)]
    [TestCase(false)]
    public void A_file_written_by_hand_byte_for_byte_is_read_in_either_byte_order(bool bigEndian)
    {
        using var folder = new ScratchFolder();
        var y = MatFile.Read(folder.Write("y.mat", bigEndian ? s_bigEndian : s_littleEndian), What, "y")[0];
        Assert.Multiple(() =>
        {
            Assert.That(y.Dimensions, Is.EqualTo(new[] { 3, 1 }));
            Assert.That(y.ToInts(), Is.EqualTo(new[] { 10, 1, 2 }));
            Assert.That(y.ToBytes(), Is.EqualTo(new byte[] { 10, 1, 2 }));
        });
    }

    [Test]
    public void Every_kind_of_variable_comes_back([Values] bool bigEndian, [Values] bool compressed)
    {
        using var folder = new ScratchFolder();
        byte[] pixels = [.. Enumerable.Range(0, 2 * 3 * 4).Select(i => (byte)(i * 11))];
        byte[] shorts = bigEndian ? [0, 5, 1, 0] : [5, 0, 0, 1];
        string path = folder.Write("a.mat", new MatWriter(bigEndian, compressed)
            .Add("other", [1, 1], [7])
            .Add("X", [2, 3, 4], pixels)
            .Add("y", [1, 3], MatWriter.Doubles(bigEndian, 1, 10, -2), kind: 6, type: 9)
            .Add("narrow", [3, 1], [1, 2, 10], kind: 6)
            .Add("short", [2, 1], shorts, kind: 11, type: 4).ToArray());
        var arrays = MatFile.Read(path, What, "short", "X", "y", "narrow");
        Assert.Multiple(() =>
        {
            Assert.That(arrays[0].ToInts(), Is.EqualTo(new[] { 5, 256 }));
            Assert.That(arrays[1].Dimensions, Is.EqualTo(new[] { 2, 3, 4 }));
            Assert.That(arrays[1].ToBytes(), Is.EqualTo(pixels));
            Assert.That(arrays[2].ToInts(), Is.EqualTo(new[] { 1, 10, -2 }));
            Assert.That(arrays[3].ToInts(), Is.EqualTo(new[] { 1, 2, 10 }), "a double that MATLAB stored as bytes");
        });
    }

    [Test]
    public void What_scipy_writes_is_read([Values] bool compressed)
    {
        using var folder = new ScratchFolder();
        SharedData.PythonOrSkip($"""
            import numpy, scipy.io
            x = numpy.arange(5 * 4 * 3 * 7, dtype=numpy.uint8).reshape(5, 4, 3, 7)
            y = numpy.arange(1, 8).reshape(7, 1)
            scipy.io.savemat(r'{folder["scipy.mat"]}', dict(X=x, y=y.astype(numpy.uint8), d=y * 1.0, i=y.astype(numpy.int16)), do_compression={(compressed ? "True" : "False")})
            """, "scipy.io");
        var arrays = MatFile.Read(folder["scipy.mat"], What, "X", "y", "d", "i");
        int[] counted = [1, 2, 3, 4, 5, 6, 7];
        Assert.Multiple(() =>
        {
            Assert.That(arrays[0].Dimensions, Is.EqualTo(new[] { 5, 4, 3, 7 }));
            // Element (1, 2, 0, 3) of numpy's row-major array is 1 + 5 (2 + 4 (0 + 3 * 3)) in the file's column-major order.
            Assert.That(arrays[0].ToBytes()[1 + 5 * (2 + 4 * (0 + 3 * 3))], Is.EqualTo((byte)(((1 * 4 + 2) * 3 + 0) * 7 + 3)));
            Assert.That(arrays[1].ToInts(), Is.EqualTo(counted));
            Assert.That(arrays[2].ToInts(), Is.EqualTo(counted));
            Assert.That(arrays[3].ToInts(), Is.EqualTo(counted));
        });
    }

    [Test]
    public void A_file_that_ends_anywhere_is_refused_and_says_so([Values] bool compressed)
    {
        using var folder = new ScratchFolder();
        byte[] whole = compressed ? new MatWriter(compressed: true).Add("y", [40, 1], new byte[40]).ToArray() : s_littleEndian;
        for (int length = 0; length < whole.Length - 8; length++)
        {
            string path = folder.Write("cut.mat", whole[..length]);
            Assert.That(() => MatFile.Read(path, What, "y"), Throws.TypeOf<DataException>().With.Message.Contains("cut.mat").And.Message.Contains(What), $"{length} bytes");
        }
    }

    [Test]
    public void A_damaged_byte_never_ends_in_anything_but_a_result_or_a_message([Values] bool compressed)
    {
        using var folder = new ScratchFolder();
        byte[] whole = new MatWriter(compressed: compressed).Add("z", [1, 1], [1]).Add("y", [5, 3], new byte[15], kind: 12, type: 2).ToArray();
        var random = RandomStream.For(5, RandomPurpose.Test);
        for (int round = 0; round < 2000; round++)
        {
            byte[] damaged = [.. whole];
            damaged[116 + random.Below(2 * round, whole.Length - 116)] = (byte)random.Below(2 * round + 1, 256);
            string path = folder.Write("damaged.mat", damaged);
            try
            {
                MatFile.Read(path, What, "y")[0].ToInts();
            }
            catch (DataException e)
            {
                Assert.That(e.Message, Does.Contain("damaged.mat"));
            }
        }
    }

    [TestCase("<!DOCTYPE html><html>", "web page")]
    [TestCase("MATLAB 7.3 MAT-file, Platform: GLNXA64", "HDF5")]
    [TestCase("short", "too few")]
    public void Another_kind_of_file_is_named(string start, string said)
    {
        using var folder = new ScratchFolder();
        Assert.That(() => MatFile.Read(folder.Write("x.mat", Encoding.ASCII.GetBytes(start)), What, "y"), Throws.TypeOf<DataException>().With.Message.Contains(said));
    }

    [Test]
    public void A_file_of_level_4_and_one_of_no_known_kind_are_refused()
    {
        using var folder = new ScratchFolder();
        Assert.Multiple(() =>
        {
            Assert.That(() => MatFile.Read(folder.Write("x.mat", new byte[200]), What, "y"), Throws.TypeOf<DataException>().With.Message.Contains("level 4"));
            Assert.That(() => MatFile.Read(folder.Write("x.mat", [.. Enumerable.Repeat((byte)'x', 200)]), What, "y"),
                Throws.TypeOf<DataException>().With.Message.Contains("7878 instead of IM or MI"));
        });
    }

    [Test]
    public void A_variable_that_is_missing_complex_or_no_array_of_numbers_is_named()
    {
        using var folder = new ScratchFolder();
        string path = folder.Write("x.mat", new MatWriter().Add("c", [1, 2], [1, 2], flags: 0x0800).Add("t", [1, 2], [1, 2], kind: 4).Add("s", [3, 3], [1, 2]).ToArray());
        Assert.Multiple(() =>
        {
            Assert.That(() => MatFile.Read(path, What, "y"), Throws.TypeOf<DataException>().With.Message.Contains("no variable 'y'"));
            Assert.That(() => MatFile.Read(path, What, "c"), Throws.TypeOf<DataException>().With.Message.Contains("'c' is complex"));
            Assert.That(() => MatFile.Read(path, What, "t"), Throws.TypeOf<DataException>().With.Message.Contains("'t' is a char"));
            Assert.That(() => MatFile.Read(path, What, "s"), Throws.TypeOf<DataException>().With.Message.Contains("'s' is 3 x 3, that is 9 bytes, but has 2"));
        });
    }

    [Test]
    public void A_size_that_no_honest_file_has_is_refused_before_memory_is_taken_for_it()
    {
        using var folder = new ScratchFolder();
        byte[] plain = [.. s_littleEndian];
        plain[128 + 4 + 3] = 0x70; // 1.9 thousand million bytes
        byte[] bomb = new MatWriter(compressed: true).Add("y", [1 << 15, 1 << 15], new byte[8]).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(() => MatFile.Read(folder.Write("x.mat", plain), What, "y"), Throws.TypeOf<DataException>().With.Message.Contains("damaged or cut off"));
            Assert.That(() => MatFile.Read(folder.Write("x.mat", bomb), What, "y"), Throws.TypeOf<DataException>().With.Message.Contains("1,073,741,824 bytes, but has 8"));
        });
    }
}
