using System.Text;
using Dom.Train.Data;
using Dom.Train.Tests.Data.Images;

namespace Dom.Train.Tests.Data;

public sealed class TinyImageNetTests
{
    private static byte[] Flat(byte value, int channels = 3) => PngWriter.Write(64, 64, channels, [.. Enumerable.Repeat(value, 64 * 64 * channels)]);

    // Three classes whose ids are not listed in their order; pictures are told by their value. What they are is told by their bytes, not by their names.
    private static ScratchFolder Valid()
    {
        var folder = new ScratchFolder();
        string root = TinyImageNet.FolderName;
        folder.Write($"{root}/wnids.txt", "n03\nn01\nn02\n"u8.ToArray());
        folder.Write($"{root}/words.txt", "n01\tgoldfish, Carassius auratus\nn02\tEuropean fire salamander\nn99\tother\n"u8.ToArray());
        folder.Write($"{root}/train/n01/images/n01_1.JPEG", Flat(11));
        folder.Write($"{root}/train/n01/images/n01_0.JPEG", Flat(10, channels: 1));
        folder.Write($"{root}/train/n01/n01_boxes.txt", "n01_0.JPEG\t0\t0\t63\t63\n"u8.ToArray());
        folder.Write($"{root}/train/n02/images/n02_0.JPEG", Flat(20));
        folder.Write($"{root}/train/n03/images/n03_0.JPEG", Flat(30));
        folder.Write($"{root}/val/images/val_0.JPEG", Flat(120));
        folder.Write($"{root}/val/images/val_1.JPEG", Flat(110, channels: 1));
        folder.Write($"{root}/val/val_annotations.txt", "val_0.JPEG\tn02\t0\t32\t44\t62\nval_1.JPEG\tn01\t52\t55\t57\t59\n"u8.ToArray());
        return folder;
    }

    [Test]
    public void Classes_follow_the_order_of_their_ids_and_gray_pictures_become_rgb()
    {
        using var folder = Valid();
        var set = DataSets.Open("tiny-imagenet", folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(set.ClassNames, Is.EqualTo(new[] { "goldfish", "European fire salamander", "n03" }));
            Assert.That(set.Train.Labels, Is.EqualTo(new[] { 0, 0, 1, 2 }));
            Assert.That(set.Test.Labels, Is.EqualTo(new[] { 1, 0 }));
            Assert.That((set.Train.Height, set.Train.Width, set.Train.Channels), Is.EqualTo((64, 64, 3)));
            Assert.That(set.Train.Pixels.Chunk(64 * 64 * 3).Select(pixels => pixels.Distinct().Single()), Is.EqualTo(new byte[] { 10, 11, 20, 30 }));
            Assert.That(set.Test.Pixels.Chunk(64 * 64 * 3).Select(pixels => pixels.Distinct().Single()), Is.EqualTo(new byte[] { 120, 110 }));
            Assert.That(DataSets.Open(folder[TinyImageNet.FolderName]).Hash(), Is.EqualTo(set.Hash()), "by its folder");
        });
    }

    [Test]
    public void Progress_comes_to_the_number_of_pictures()
    {
        using var folder = Valid();
        var seen = new List<(int, int)>();
        TinyImageNet.Load(folder.Path, progress: (done, total) => seen.Add((done, total)));
        Assert.That(seen, Is.EqualTo(new[] { (6, 6) }));
    }

    [Test]
    public void What_is_not_as_it_should_be_is_named_with_what_came()
    {
        using var folder = Valid();
        string root = folder[TinyImageNet.FolderName], annotations = Path.Combine(root, "val", "val_annotations.txt");
        string good = File.ReadAllText(annotations);
        Assert.Multiple(() =>
        {
            File.WriteAllText(annotations, good + "val_2.JPEG\tn07\t0\t0\t1\t1\n");
            Assert.That(() => TinyImageNet.Load(root), Throws.TypeOf<DataException>().With.Message.Contains("line 3").And.Message.Contains("n07"));
            File.WriteAllText(annotations, good + "val_2.JPEG\tn01\t0\t0\t1\t1\n");
            Assert.That(() => TinyImageNet.Load(root), Throws.TypeOf<DataException>().With.Message.Contains("val_2.JPEG"));
            File.WriteAllText(annotations, good);
            folder.Write($"{TinyImageNet.FolderName}/train/n02/images/n02_1.JPEG", Encoding.ASCII.GetBytes("GIF89a"));
            Assert.That(() => TinyImageNet.Load(root), Throws.TypeOf<DataException>().With.Message.Contains("n02_1.JPEG").And.Message.Contains("GIF"));
            Directory.Delete(Path.Combine(root, "train", "n02"), recursive: true);
            Assert.That(() => TinyImageNet.Load(root), Throws.TypeOf<DataException>().With.Message.Contains("n02").And.Message.Contains("no pictures"));
            File.Delete(annotations);
            Assert.That(() => TinyImageNet.Load(root), Throws.TypeOf<DataException>());
            Assert.That(() => TinyImageNet.Load(folder["absent"]), Throws.TypeOf<DataException>().With.Message.Contains("dom data download tiny-imagenet"));
        });
    }
}
