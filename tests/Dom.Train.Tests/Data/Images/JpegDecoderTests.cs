using Dom.Tensors;
using Dom.Train.Data;
using Dom.Train.Data.Images;

namespace Dom.Train.Tests.Data.Images;

public sealed class JpegDecoderTests
{
    // A drawn picture of 9 x 5 pixels, and what libjpeg-turbo 2.1.5 decodes.
    internal const string Baseline420 =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4O" +
        "DhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAFAAkDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAA" +
        "AAAAAAAAAAQF/8QAIRAAAAYBBAMAAAAAAAAAAAAAAAECAwQREgUWItFRU5L/xAAUAQEAAAAAAAAAAAAAAAAAAAAE/8QAGREAAwADAAAAAAAAAAAAAAAAAAECAwQh" +
        "/9oADAMBAAIRAxEAPwCKdqUma+264rBTdmjBSuJ3dlZnR9F4Gluyf6Y3yrsAAgdbOWpUuuI//9k=";
    private const string Baseline420Pixels =
        "e5e4b6e2d0a8ffceb1ffd4c39e2922b6302fa6201fffbfb9ffc1b0bac492848053d2ab8a77301aaa453998231cb23f38a43f33ffc7b1dafbc2bdcf9b" +
        "e6dab0865f3e9a563f9d4c39944632612108f4d0ae2c64233a66294e602c70693d462804855c3c6e4726836b4564633537873e23692339692b506d35" +
        "505a285a5d2e4f55254d5f2b3c6529";

    internal const string Progressive444 =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUX" +
        "Fx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wgARCAAFAAkDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAA" +
        "AAAAAAAAA//EABYBAQEBAAAAAAAAAAAAAAAAAAMAAf/aAAwDAQACEAMQAAABMptP/8QAFxABAQEBAAAAAAAAAAAAAAAAAgEAE//aAAgBAQABBQJOq91v/8QAGREAAgMB" +
        "AAAAAAAAAAAAAAAAAAECAxIx/9oACAEDAQE/AY3ZXDbP/8QAFBEBAAAAAAAAAAAAAAAAAAAAEP/aAAgBAgEBPwE//8QAFhABAQEAAAAAAAAAAAAAAAAAAAEx/9oACAEB" +
        "AAY/AmR//8QAGBAAAgMAAAAAAAAAAAAAAAAAAREQITH/2gAIAQEAAT8hACaWKB//2gAMAwEAAgADAAAAEGf/xAAXEQEAAwAAAAAAAAAAAAAAAAABEBEh/9oACAEDAQE/" +
        "EGQ1cH//xAAWEQADAAAAAAAAAAAAAAAAAAABECH/2gAIAQIBAT8QNX//xAAbEAACAgMBAAAAAAAAAAAAAAABEQAhQdHw8f/aAAgBAQABPxA2zZhotuzyE8w7n//Z";
    private const string Progressive444Pixels =
        "f9d8c9cccfb0d7dfb8ffcab3bb1f20f43d41931c04fad59eedd5b3bcaa94838a68cfcfab944534cf1925d40008ba0e0ac85f41e3deb6dee8c5afc69c" +
        "fbfdd68e4330f0454df01929e1292ba92010d1ecb9456f3d45743e597743523a14711a06c150408e32197137113c7437266d2b337b39206320568648" +
        "335217789a5d3a722b4897482a7733";

    [TestCase(Baseline420, Baseline420Pixels, TestName = "A_baseline_file_decodes_to_its_known_pixels")]
    [TestCase(Progressive444, Progressive444Pixels, TestName = "A_progressive_file_decodes_to_its_known_pixels")]
    public void A_file_decodes_to_its_known_pixels(string file, string pixels)
    {
        var image = new ImageDecoder().Decode(Convert.FromBase64String(file), "drawn.jpg");
        Assert.Multiple(() =>
        {
            Assert.That((image.Width, image.Height, image.Channels), Is.EqualTo((9, 5, 3)));
            Assert.That(Convert.ToHexStringLower(image.Pixels), Is.EqualTo(pixels));
        });
    }

    [Test]
    public void A_file_that_pillow_wrote_decodes_to_the_bytes_that_pillow_reads(
        [Values("gray", "4:4:4", "4:2:2", "4:2:0")] string kind, [Values] bool progressive)
    {
        using var folder = new TemporaryFolder();
        Pillow.Run("""
            import random, sys
            from PIL import Image, ImageDraw
            folder, kind, progressive = sys.argv[1:]
            random.seed(5)
            for width, height in ((1, 1), (2, 3), (3, 2), (4, 4), (5, 9), (8, 8), (15, 17), (32, 32), (33, 65), (100, 75)):
                image = Image.new('RGB', (width, height), tuple(random.randrange(256) for _ in range(3)))
                draw = ImageDraw.Draw(image)
                for _ in range(12):
                    x, y = random.randrange(width), random.randrange(height)
                    fill = tuple(random.randrange(256) for _ in range(3))
                    draw.ellipse((x, y, x + random.randrange(9), y + random.randrange(9)), fill=fill)
                for quality in (20, 75, 95, 100):
                    options = {} if kind == 'gray' else {'subsampling': kind}
                    image.convert('L' if kind == 'gray' else 'RGB').save(f'{folder}/{width}x{height}-{quality}.jpg',
                        quality=quality, progressive=progressive == 'True', optimize=quality == 95, **options)
            """, folder.Path, kind, progressive.ToString());
        AssertEqualsPillow(folder);
    }

    [Test]
    public void Any_sampling_and_restart_interval_decodes_to_the_bytes_that_pillow_reads(
        [Values("11", "22", "111111", "211111", "221111", "121111", "311111", "411111",
            "141111", "421111", "212111", "222112", "112211")] string sampling,
        [Values] bool progressive)
    {
        (int H, int V)[] factors = [.. sampling.Chunk(2).Select(c => (c[0] - '0', c[1] - '0'))];
        using var folder = new TemporaryFolder();
        foreach (var (width, height) in new[] { (1, 1), (3, 3), (5, 7), (16, 16), (31, 33), (70, 41) })
            foreach (int interval in new[] { 0, 1, 5 })
            {
                var random = RandomStream.For(2, RandomPurpose.Test, epoch: interval, sample: width);
                folder.Write($"{width}x{height}-{interval}.jpg",
                    new JpegWriter(random).Write(width, height, factors, interval, progressive));
            }
        AssertEqualsPillow(folder);
    }

    [TestCase("RGB", null)]
    [TestCase("\u0001\u0002\u0003", 0)]
    [TestCase("\u0001\u0002\u0003", 1)]
    [TestCase("RGB", 1)]
    [TestCase("abc", null)]
    public void The_color_space_follows_the_adobe_marker_and_the_component_names_as_in_pillow(
        string ids, int? adobeTransform)
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.jpg", new JpegWriter(RandomStream.For(3, RandomPurpose.Test))
            .Write(20, 11, [(1, 1), (1, 1), (1, 1)], ids: ids, adobeTransform: adobeTransform));
        AssertEqualsPillow(folder);
    }

    private static void AssertEqualsPillow(TemporaryFolder folder)
    {
        Pillow.DecodeFolder(folder.Path);
        int tolerance = Pillow.UsesLibjpegTurbo ? 0 : 3;
        Assert.Multiple(() =>
        {
            foreach (string path in Directory.GetFiles(folder.Path, "*.jpg"))
            {
                var image = new ImageDecoder().Decode(File.ReadAllBytes(path), path);
                byte[] expected = File.ReadAllBytes(path + ".raw");
                Assert.That(image.Pixels, Has.Length.EqualTo(expected.Length), path);
                Assert.That(image.Pixels.Zip(expected, (a, b) => Math.Abs(a - b)).Max(),
                    Is.LessThanOrEqualTo(tolerance), path);
            }
        });
    }

    [Test]
    public void A_file_cut_anywhere_is_called_truncated([Values(Baseline420, Progressive444)] string file)
    {
        byte[] bytes = Convert.FromBase64String(file);
        Assert.Multiple(() =>
        {
            for (int length = 3; length < bytes.Length; length++)
                Assert.That(() => new ImageDecoder().Decode(bytes.AsSpan(0, length), "cut.jpg"),
                    Throws.TypeOf<DataException>().With.Message.Contain("cut.jpg").And.Message.Contain("truncated"));
        });
    }

    // SOF marker and precision are bytes of the file that say of what kind it is.
    [TestCase(0xC9, 8, 3, "arithmetic coding")]
    [TestCase(0xC3, 8, 3, "lossless")]
    [TestCase(0xC1, 12, 3, "12 bits")]
    [TestCase(0xC0, 8, 4, "CMYK")]
    public void A_kind_that_is_not_supported_is_named(int marker, int precision, int components, string expected)
    {
        byte[] file = new JpegWriter(RandomStream.For(4, RandomPurpose.Test)).Write(
            8, 8, [.. Enumerable.Repeat((1, 1), components)], ids: "abcd");
        int frame = file.AsSpan().IndexOf(new byte[] { 0xFF, 0xC0 });
        file[frame + 1] = (byte)marker;
        file[frame + 4] = (byte)precision;
        Assert.That(() => new ImageDecoder().Decode(file, "kind.jpg"), Throws.TypeOf<DataException>()
            .With.Message.Contain("kind.jpg").And.Message.Contain(expected).And.Message.Contain("Convert"));
    }

    [Test]
    public void A_missing_restart_marker_is_an_error()
    {
        byte[] file = new JpegWriter(RandomStream.For(6, RandomPurpose.Test)).Write(32, 8, [(1, 1)], restartInterval: 1);
        file[file.AsSpan().IndexOf(new byte[] { 0xFF, 0xD1 }) + 1] = 0xD5;
        Assert.That(() => new ImageDecoder().Decode(file, "x.jpg"),
            Throws.TypeOf<DataException>().With.Message.Contain("restart marker 1"));
    }

    [Test]
    public void A_header_that_asks_for_more_than_the_file_can_hold_is_refused()
    {
        byte[] file = Convert.FromBase64String(Baseline420);
        int frame = file.AsSpan().IndexOf(new byte[] { 0xFF, 0xC0 });
        (file[frame + 5], file[frame + 7]) = (0x3F, 0x3F);
        Assert.That(() => new ImageDecoder().Decode(file, "x.jpg"),
            Throws.TypeOf<DataException>().With.Message.Contain("cannot hold 16137 x 16133"));
    }
}
