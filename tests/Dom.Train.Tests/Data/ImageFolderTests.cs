using System.Diagnostics;
using Dom.Train.Data;
using Dom.Train.Data.Images;
using Dom.Train.Tests.Data.Images;

namespace Dom.Train.Tests.Data;

public sealed class ImageFolderTests
{
    private static byte[] Flat(byte value, int channels = 3, int width = 2, int height = 2) =>
        PngWriter.Write(width, height, channels, [.. Enumerable.Repeat(value, width * height * channels)]);

    // Two classes, three training images and one test image, written in an order that is not the sorted one.
    private static TemporaryFolder Valid(int channels = 3)
    {
        var folder = new TemporaryFolder();
        folder.Write("train/dog/1.png", Flat(30, channels));
        folder.Write("train/cat/b.PNG", Flat(20, channels));
        folder.Write("train/cat/a.png", Flat(10, channels));
        folder.Write("test/dog/x.png", Flat(40, channels));
        return folder;
    }

    [Test]
    public void Classes_and_files_come_in_ordinal_order()
    {
        using var folder = Valid();
        folder.Write("train/Zebra/1.png", Flat(5));      // ordinal: upper case before lower case, as Python sorts
        var set = ImageFolder.Load(folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(set.ClassNames, Is.EqualTo(new[] { "Zebra", "cat", "dog" }));
            Assert.That(set.Name, Is.EqualTo(Path.GetFileName(folder.Path)));
            Assert.That(set.Train.Labels, Is.EqualTo(new[] { 0, 1, 1, 2 }));
            Assert.That(set.Train.Pixels.Chunk(12).Select(p => p.Distinct().Single()),
                Is.EqualTo(new byte[] { 5, 10, 20, 30 }));
            Assert.That(set.Test.Labels, Is.EqualTo(new[] { 2 }));
            Assert.That(set.Test.Pixels, Is.EqualTo(Enumerable.Repeat((byte)40, 12)));
            Assert.That((set.Train.Height, set.Train.Width, set.Train.Channels), Is.EqualTo((2, 2, 3)));
        });
    }

    [Test]
    public void Val_serves_as_test_and_hidden_and_other_files_are_passed_over()
    {
        using var folder = Valid();
        Directory.Move(Path.Combine(folder.Path, "test"), Path.Combine(folder.Path, "val"));
        folder.Write("train/cat/._a.png", [1, 2, 3]);
        folder.Write("train/cat/notes.txt", [1, 2, 3]);
        folder.Write("train/.cache/a.png", [1, 2, 3]);
        var set = ImageFolder.Load(folder.Path + Path.DirectorySeparatorChar);
        Assert.That((set.Train.Count, set.Test.Count, set.ClassNames.Count), Is.EqualTo((3, 1, 2)));
    }

    [Test]
    public void Gray_images_alone_keep_one_channel()
    {
        using var folder = Valid(channels: 1);
        var set = ImageFolder.Load(folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(set.Train.Channels, Is.EqualTo(1));
            Assert.That(set.Train.Pixels, Has.Length.EqualTo(12));
        });
    }

    [TestCase("train/cat/c.png", "train/cat/a.png")]
    [TestCase("test/cat/c.png", "train/cat/b.PNG")]
    [TestCase("train/cat/0.png", "train/dog/1.png")]
    public void One_color_image_makes_the_whole_set_rgb(string color, string gray)
    {
        using var folder = Valid(channels: 1);
        folder.Write(color, PngWriter.Write(2, 2, 3, [.. Enumerable.Range(0, 12).Select(i => (byte)i)]));
        folder.Write(gray, PngWriter.Write(2, 2, 1, [1, 2, 3, 4]));
        var set = ImageFolder.Load(folder.Path);
        byte[] all = [.. set.Train.Pixels, .. set.Test.Pixels];
        Assert.Multiple(() =>
        {
            Assert.That((set.Train.Channels, set.Test.Channels), Is.EqualTo((3, 3)));
            Assert.That(all.Chunk(12), Has.Some.EqualTo(Enumerable.Range(0, 12).Select(i => (byte)i)));
            Assert.That(all.Chunk(12), Has.Some.EqualTo(new byte[] { 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4 }));
        });
    }

    [Test]
    public void The_first_image_of_another_size_is_named_with_both_sizes()
    {
        using var folder = Valid();
        folder.Write("train/dog/2.png", Flat(1, width: 3));
        folder.Write("test/dog/y.png", Flat(1, width: 5));
        Assert.That(() => ImageFolder.Load(folder.Path), Throws.TypeOf<DataException>()
            .With.Message.Contain("2.png").And.Message.Contain("3 x 2").And.Message.Contain("2 x 2").And.Message.Contain("a.png"));
    }

    [Test]
    public void The_first_damaged_image_is_named_whatever_the_thread_count()
    {
        using var folder = Valid();
        for (int i = 0; i < 50; i++)
            folder.Write($"train/dog/k{i:D2}.png", i is 7 or 40 ? Flat(1)[..40] : Flat(2));
        folder.Write("test/dog/broken.png", [.. "<html>"u8]);
        for (int repeat = 0; repeat < 5; repeat++)
            Assert.That(() => ImageFolder.Load(folder.Path),
                Throws.TypeOf<DataException>().With.Message.Contain("k07.png"));
    }

    [Test]
    public void A_class_of_test_that_train_lacks_is_an_error()
    {
        using var folder = Valid();
        folder.Write("test/fox/1.png", Flat(1));
        Assert.That(() => ImageFolder.Load(folder.Path),
            Throws.TypeOf<DataException>().With.Message.Contain("fox").And.Message.Contain("cat, dog"));
    }

    [Test]
    public void A_class_folder_without_images_is_an_error()
    {
        using var folder = Valid();
        folder.Write("train/fox/readme.txt", [1]);
        Assert.That(() => ImageFolder.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contain("fox"));
    }

    [TestCase(new string[] { }, "no train folder")]
    [TestCase(new[] { "cat/1.png", "dog/1.png" }, "class folders directly (found: cat, dog)")]
    [TestCase(new[] { "train/cat/1.png" }, "neither test nor val")]
    [TestCase(new[] { "train/1.png", "test/2.png" }, "no class folders")]
    [TestCase(new[] { "training/cat/1.png", "test/cat/2.png" }, "no train folder (found: test, training)")]
    public void Another_layout_is_an_error_that_shows_the_right_one(string[] files, string expected)
    {
        using var folder = new TemporaryFolder();
        foreach (string file in files)
            folder.Write(file, Flat(1));
        Assert.That(() => ImageFolder.Load(folder.Path), Throws.TypeOf<DataException>()
            .With.Message.Contain(expected).And.Message.Contain("train/<class>/").And.Message.Contain(folder.Path));
    }

    [Test]
    public void A_folder_that_does_not_exist_is_an_error() =>
        Assert.That(() => ImageFolder.Load("/no/such/folder"),
            Throws.TypeOf<DataException>().With.Message.Contain("/no/such/folder"));

    [Test]
    public void Another_decoder_can_be_given()
    {
        using var folder = Valid();
        var set = ImageFolder.Load(folder.Path, new ConstantDecoder());
        Assert.That(set.Train.Pixels, Is.EqualTo(new byte[] { 7, 7, 7 }));
    }

    private sealed class ConstantDecoder : IImageDecoder
    {
        public DecodedImage Decode(ReadOnlySpan<byte> file, string name) => new(1, 1, 1, [7]);
    }

    [Test]
    public void Real_jpegs_load_to_the_bytes_that_pillow_reads()
    {
        string archive = SharedData.Require("cifar10-jpg.tar.xz");
        using var folder = new TemporaryFolder();
        using (var tar = Process.Start(new ProcessStartInfo("tar",
            ["-xJf", archive, "-C", folder.Path, "--wildcards", "train/*/002?.jpg", "test/*/003?.jpg"])))
        {
            tar!.WaitForExit();
            Assert.That(tar.ExitCode, Is.Zero);
        }
        var set = ImageFolder.Load(folder.Path);
        Pillow.DecodeFolder(folder.Path);
        byte[] expected = Raw("train");
        Assert.Multiple(() =>
        {
            Assert.That(set.ClassNames,
                Is.EqualTo("airplane automobile bird cat deer dog frog horse ship truck".Split()));
            Assert.That((set.Train.Count, set.Test.Count), Is.EqualTo((100, 100)));
            Assert.That(set.Train.Labels, Is.EqualTo(Enumerable.Range(0, 100).Select(i => i / 10)));
            int tolerance = Pillow.UsesLibjpegTurbo ? 0 : 3;
            Assert.That(set.Train.Pixels.Zip(Raw("train"), (a, b) => Math.Abs(a - b)).Max(),
                Is.LessThanOrEqualTo(tolerance));
            Assert.That(set.Test.Pixels.Zip(Raw("test"), (a, b) => Math.Abs(a - b)).Max(),
                Is.LessThanOrEqualTo(tolerance));
            Assert.That(expected, Has.Length.EqualTo(set.Train.Pixels.Length));
        });

        byte[] Raw(string split) => [.. Directory.GetFiles(Path.Combine(folder.Path, split), "*.raw", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes)];
    }
}
