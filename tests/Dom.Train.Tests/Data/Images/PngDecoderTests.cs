using Dom.Tensors;
using Dom.Train.Data;
using Dom.Train.Data.Images;

namespace Dom.Train.Tests.Data.Images;

public sealed class PngDecoderTests
{
    private static readonly (int Color, int Samples, int[] Depths)[] s_kinds =
        [(0, 1, [1, 2, 4, 8, 16]), (2, 3, [8, 16]), (3, 1, [1, 2, 4, 8]), (4, 2, [8, 16]), (6, 4, [8, 16])];

    private static readonly (int Width, int Height)[] s_sizes = [(1, 1), (3, 5), (8, 8), (33, 17)];

    /// <summary>A PNG of random samples and the pixels that it must decode to.</summary>
    public sealed record PngCase(int Color, int Samples, int Depth, int Width, int Height, bool Interlaced)
    {
        public byte[] Palette => [.. Draw(3 << Depth, 256, step: 1).Select(v => (byte)v)];

        public int[] Values => Draw(Width * Height * Samples, 1 << Depth, step: 0);

        public byte[] File =>
            PngWriter.Write(Width, Height, Depth, Color, Samples, Values, Interlaced, Color == 3 ? Palette : null);

        public int Channels => Color is 0 or 4 ? 1 : 3;

        public byte[] Pixels
        {
            get
            {
                byte[] palette = Palette;
                return [.. Values.Chunk(Samples).SelectMany(pixel => Color == 3
                    ? palette.Skip(3 * pixel[0]).Take(3)
                    : pixel.Take(Channels).Select(v => (byte)(Depth == 16 ? v >> 8 : v * 255 / ((1 << Depth) - 1))))];
            }
        }

        public override string ToString() =>
            $"color {Color}, {Depth} bits, {Width} x {Height}{(Interlaced ? ", interlaced" : "")}";

        private int[] Draw(int count, int below, int step)
        {
            var stream = RandomStream.For(11, RandomPurpose.Test, epoch: Color * 100 + Depth, step: step, sample: Width);
            return [.. Enumerable.Range(0, count).Select(i => stream.Below(i, below))];
        }
    }

    private static IEnumerable<PngCase> Cases() =>
        from kind in s_kinds
        from depth in kind.Depths
        from size in s_sizes
        from interlaced in new[] { false, true }
        select new PngCase(kind.Color, kind.Samples, depth, size.Width, size.Height, interlaced);

    [TestCaseSource(nameof(Cases))]
    public void Every_kind_of_png_decodes_to_its_samples(PngCase png)
    {
        var image = new ImageDecoder().Decode(png.File, "drawn.png");
        Assert.Multiple(() =>
        {
            Assert.That((image.Width, image.Height, image.Channels), Is.EqualTo((png.Width, png.Height, png.Channels)));
            Assert.That(image.Pixels, Is.EqualTo(png.Pixels));
        });
    }

    [Test]
    public void Pillow_reads_the_same_pixels_from_the_same_files()
    {
        using var folder = new TemporaryFolder();
        // Pillow keeps 16-bit gray as it is, or makes it RGBA: no upper bytes to compare with.
        var cases = Cases().Where(c => c is not { Color: 0 or 4, Depth: 16 }).ToArray();
        string[] paths = [.. cases.Select((png, i) => folder.Write($"{i}.png", png.File))];
        Pillow.DecodeFolder(folder.Path);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < cases.Length; i++)
                Assert.That(new ImageDecoder().Decode(File.ReadAllBytes(paths[i]), paths[i]).Pixels,
                    Is.EqualTo(File.ReadAllBytes(paths[i] + ".raw")), cases[i].ToString());
        });
    }

    [Test]
    public void Files_that_pillow_wrote_decode_to_what_was_drawn()
    {
        using var folder = new TemporaryFolder();
        Pillow.Run("""
            import random, sys
            from PIL import Image
            random.seed(3)
            for mode, size in (('RGB', 3), ('RGBA', 4), ('L', 1), ('LA', 2)):
                image = Image.frombytes(mode, (37, 29), bytes(random.randrange(256) for _ in range(37 * 29 * size)))
                image.save(f'{sys.argv[1]}/{mode}.png', optimize=mode == 'RGB')
            image = Image.linear_gradient('L').resize((40, 30)).convert('RGB').quantize(13)
            image.save(f'{sys.argv[1]}/palette.png', transparency=2)
            """, folder.Path);
        Pillow.DecodeFolder(folder.Path);
        Assert.Multiple(() =>
        {
            foreach (string path in Directory.GetFiles(folder.Path, "*.png"))
                Assert.That(new ImageDecoder().Decode(File.ReadAllBytes(path), path).Pixels,
                    Is.EqualTo(File.ReadAllBytes(path + ".raw")), path);
        });
    }

    private static byte[] Small => PngWriter.Write(4, 3, 3, [.. Enumerable.Range(0, 36).Select(i => (byte)(i * 7))]);

    [Test]
    public void A_flipped_bit_is_found_by_the_checksum_of_its_chunk()
    {
        byte[] file = Small;
        file[^20] ^= 4;     // inside the compressed data
        Assert.That(() => new ImageDecoder().Decode(file, "a/b.png"),
            Throws.TypeOf<DataException>().With.Message.Contain("a/b.png").And.Message.Contain("IDAT").And.Message.Contain("CRC"));
    }

    [Test]
    public void A_truncated_file_is_called_truncated([Values(8, 20, 50, 80)] int length)
    {
        Assert.That(() => new ImageDecoder().Decode(Small.AsSpan(0, length), "cut.png"),
            Throws.TypeOf<DataException>().With.Message.Contain("cut.png").And.Message.Contain("truncated"));
    }

    [Test]
    public void Too_little_pixel_data_is_called_truncated()
    {
        byte[] wide = PngWriter.Write(4, 3, 1, new byte[12]);
        byte[] header = PngWriter.Chunk("IHDR", [0, 0, 0, 4, 0, 0, 0, 9, 8, 0, 0, 0, 0]);
        byte[] file = [.. PngWriter.Signature, .. header, .. wide.AsSpan(8 + header.Length)];
        Assert.That(() => new ImageDecoder().Decode(file, "x.png"),
            Throws.TypeOf<DataException>().With.Message.Contain("truncated").And.Message.Contain("4 x 9"));
    }

    [TestCase("IHDR", new byte[] { 0, 0, 64, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0 }, "16385 x 1")]
    [TestCase("IHDR", new byte[] { 0, 0, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0 }, "0 x 1")]
    [TestCase("IHDR", new byte[] { 0, 0, 64, 0, 0, 0, 64, 0, 8, 2, 0, 0, 0 }, "cannot hold 16384 x 16384")]
    [TestCase("IHDR", new byte[] { 0, 0, 0, 4, 0, 0, 0, 4, 4, 2, 0, 0, 0 }, "color type 2 with 4 bits")]
    [TestCase("IHDR", new byte[] { 0, 0, 0, 4, 0, 0, 0, 4, 8, 3, 0, 0, 0 }, "no PLTE")]
    [TestCase("IHDR", new byte[] { 0, 0, 0, 4, 0, 0, 0, 4, 8, 0, 0, 0, 2 }, "interlacing 2")]
    [TestCase("IHDR", new byte[] { 0, 0, 0, 4 }, "13 bytes")]
    [TestCase("IDAT", new byte[] { 0, 0, 0, 4 }, "must be IHDR")]
    public void A_header_that_png_does_not_define_is_named(string type, byte[] data, string expected)
    {
        byte[] file = [.. PngWriter.Signature, .. PngWriter.Chunk(type, data), .. PngWriter.Chunk("IEND", [])];
        Assert.That(() => new ImageDecoder().Decode(file, "x.png"),
            Throws.TypeOf<DataException>().With.Message.Contain("x.png").And.Message.Contain(expected));
    }

    [Test]
    public void A_color_outside_the_palette_is_an_error()
    {
        byte[] file = PngWriter.Write(2, 1, 8, 3, 1, [0, 2], palette: [1, 2, 3, 4, 5, 6]);
        Assert.That(() => new ImageDecoder().Decode(file, "x.png"),
            Throws.TypeOf<DataException>().With.Message.Contain("color 2 of a palette of 2"));
    }

    [TestCase("<html><body>Not found", "HTML")]
    [TestCase("GIF89a....", "GIF")]
    [TestCase("", "empty")]
    [TestCase("hello", "68656C6C6F")]
    public void A_file_of_another_kind_is_described(string content, string expected)
    {
        Assert.That(() => new ImageDecoder().Decode(System.Text.Encoding.ASCII.GetBytes(content), "photo.jpg"),
            Throws.TypeOf<DataException>().With.Message.Contain("photo.jpg").And.Message.Contain(expected).And.Message.Contain("PNG"));
    }
}
