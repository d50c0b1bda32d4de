using System.Buffers.Binary;
using System.Text;
using Dom.Tensors;
using Dom.Train.Data;
using Dom.Train.Data.Images;

namespace Dom.Train.Tests.Data.Images;

public sealed class DamagedImageTests
{
    private const int Mutations = 300;

    private static byte[] Png => PngWriter.Write(13, 9, 4, 3, 1, [.. Enumerable.Range(0, 117).Select(i => i * i % 16)],
        interlaced: true, palette: [.. Enumerable.Range(0, 48).Select(i => (byte)(5 * i))], chunkSize: 30);

    private static byte[] Restarts(bool progressive) => new JpegWriter(RandomStream.For(5, RandomPurpose.Test))
        .Write(31, 22, [(2, 2), (1, 1), (1, 1)], restartInterval: 2, progressive);

    private static IEnumerable<TestCaseData> Files()
    {
        yield return new TestCaseData(Png, false).SetArgDisplayNames("png");
        yield return new TestCaseData(Png, true).SetArgDisplayNames("png with repaired checksums");
        yield return new TestCaseData(Convert.FromBase64String(JpegDecoderTests.Baseline420), false).SetArgDisplayNames("baseline");
        yield return new TestCaseData(Convert.FromBase64String(JpegDecoderTests.Progressive444), false).SetArgDisplayNames("progressive");
        yield return new TestCaseData(Restarts(false), false).SetArgDisplayNames("baseline with restarts");
        yield return new TestCaseData(Restarts(true), false).SetArgDisplayNames("progressive with restarts");
    }

    [TestCaseSource(nameof(Files))]
    public void A_damaged_file_gives_a_picture_or_an_error_that_names_it(byte[] file, bool repairChecksums)
    {
        int pictures = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] damaged = Damage(file, RandomStream.For(9, RandomPurpose.Test, sample: i));
            if (repairChecksums)
                RepairChecksums(damaged);
            try
            {
                var image = new ImageDecoder().Decode(damaged, "damaged.img");
                Assert.That(image.Pixels, Has.Length.EqualTo(image.Width * image.Height * image.Channels));
                pictures++;
            }
            catch (DataException e)
            {
                Assert.That(e.Message, Does.Contain("damaged.img"));
            }
        }
        TestContext.Out.WriteLine($"{pictures} of {Mutations} damaged files still gave a picture");
    }

    // One to four bytes change; every third file loses its end as well.
    private static byte[] Damage(byte[] file, RandomStream random)
    {
        byte[] damaged = [.. file];
        int changes = 1 + random.Below(0, 4);
        for (int i = 0; i < changes; i++)
            damaged[random.Below(2 * i + 1, damaged.Length)] = (byte)random.Below(2 * i + 2, 256);
        return random.Below(20, 3) == 0 ? damaged[..random.Below(21, damaged.Length)] : damaged;
    }

    private static void RepairChecksums(byte[] png)
    {
        for (int position = 8; position + 12 <= png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(position));
            if (length < 0 || length > png.Length - position - 12)
                return;
            string type = Encoding.Latin1.GetString(png, position + 4, 4);
            byte[] repaired = PngWriter.Chunk(type, png[(position + 8)..(position + 8 + length)]);
            repaired.AsSpan(8 + length).CopyTo(png.AsSpan(position + 8 + length));
            position += 12 + length;
        }
    }
}
