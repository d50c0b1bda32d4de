using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class NpyPairsTests
{
    private static ScratchFolder Files(int[] shape, int count = 6)
    {
        var folder = new ScratchFolder();
        int size = shape.Aggregate(1, (product, side) => product * side);
        foreach (string part in new[] { "train", "test" })
        {
            Npy.Write(folder[$"x_{part}.npy"], Enumerable.Range(0, count * size).Select(i => (byte)i).ToArray(), [count, .. shape]);
            Npy.Write(folder[$"y_{part}.npy"], Enumerable.Range(0, count).Select(i => (long)(i % 3)).ToArray(), count);
        }
        return folder;
    }

    [Test]
    public void Channels_last_images_are_taken_as_they_are()
    {
        using var folder = Files([4, 5, 3]);
        var set = NpyPairs.Load(folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That((set.Train.Count, set.Train.Height, set.Train.Width, set.Train.Channels), Is.EqualTo((6, 4, 5, 3)));
            Assert.That(set.Train.Image(1)[..4].ToArray(), Is.EqualTo(new byte[] { 60, 61, 62, 63 }));
            Assert.That(set.Train.Labels, Is.EqualTo(new[] { 0, 1, 2, 0, 1, 2 }));
            Assert.That(set.ClassNames, Has.Count.EqualTo(3));
        });
    }

    [Test]
    public void Channels_first_images_are_turned()
    {
        using var folder = Files([3, 4, 5]);
        var train = NpyPairs.Load(folder.Path).Train;
        Assert.Multiple(() =>
        {
            Assert.That((train.Height, train.Width, train.Channels), Is.EqualTo((4, 5, 3)));
            Assert.That(train.Image(1)[..6].ToArray(), Is.EqualTo(new byte[] { 60, 80, 100, 61, 81, 101 }));
        });
    }

    [Test]
    public void Images_without_a_channel_axis_are_gray()
    {
        using var folder = Files([4, 5]);
        var train = NpyPairs.Load(folder.Path).Train;
        Assert.That((train.Height, train.Width, train.Channels), Is.EqualTo((4, 5, 1)));
    }

    [Test]
    public void A_converted_set_reads_back_equal_with_names_and_true_labels()
    {
        using var folder = new ScratchFolder();
        var set = EmbeddedImages.Create(40, 20, 1);
        set = set with { Train = LabelNoise.Apply(set.Train, 10, 0.25, 3) };
        DataConversion.ToNpy(set, folder["out"]);
        var read = NpyPairs.Load(folder["out"]);
        Assert.Multiple(() =>
        {
            Assert.That(read.Hash(), Is.EqualTo(set.Hash()));
            Assert.That(read.ClassNames, Is.EqualTo(set.ClassNames));
            Assert.That(read.Train.TrueLabels, Is.EqualTo(set.Train.TrueLabels));
            Assert.That(read.Test.TrueLabels, Is.EqualTo(set.Test.Labels));
        });
    }

    [Test]
    public void A_set_of_the_size_of_Cifar_converts_to_its_layout_and_back()
    {
        using var folder = new ScratchFolder();
        static ImageSplit Random(int count) => new(Enumerable.Range(0, count * 3072).Select(i => (byte)(i * 31 % 251)).ToArray(),
            Enumerable.Range(0, count).Select(i => i % 12).ToArray(), 32, 32, 3);
        var set = new DataSet("mine", Random(23), Random(4), Enumerable.Range(0, 12).Select(i => $"kind {i}").ToArray());
        DataConversion.ToCifarBinary(set, folder["mine"]);
        var read = DataSets.Open(folder["mine"]);
        Assert.Multiple(() =>
        {
            Assert.That(read.Hash(), Is.EqualTo(set.Hash()));
            Assert.That(read.ClassNames, Is.EqualTo(set.ClassNames));
            Assert.That(read.Name, Is.EqualTo("mine"));
        });
    }

    [Test]
    public void Images_of_another_size_do_not_convert_to_Cifar_files()
    {
        using var folder = new ScratchFolder();
        Assert.That(() => DataConversion.ToCifarBinary(EmbeddedImages.Create(10, 10), folder.Path),
            Throws.TypeOf<DataException>().With.Message.Contains("16 x 16 x 3").And.Message.Contains("32 x 32 x 3"));
    }

    [Test]
    public void Files_that_do_not_fit_together_are_refused_with_the_reason()
    {
        Refused(folder => File.Delete(folder["y_test.npy"]), "missing y_test.npy");
        Refused(folder => Npy.Write(folder["y_train.npy"], new int[5], 5), "y_train.npy: the shape is [5]; expected [6]");
        Refused(folder => Npy.Write(folder["y_train.npy"], new float[6], 6), "labels are integers");
        Refused(folder => Npy.Write(folder["y_train.npy"], new int[60], 6, 10), "argmax");
        Refused(folder => Npy.Write(folder["y_train.npy"], [0, 1, 2, -1, 1, 2], 6), "record 3 has the label -1");
        Refused(folder => File.WriteAllText(folder["class_names.txt"], "a\nb\n"), "record 2 has the label 2; labels are 0..1");
        Refused(folder => File.WriteAllText(folder["class_names.txt"], "\n"), "holds no name");
        Refused(folder => Npy.Write(folder["x_train.npy"], new float[6 * 60], 6, 4, 5, 3), "pixels are uint8");
        Refused(folder => Npy.Write(folder["x_train.npy"], new byte[6 * 40], 6, 4, 5, 2), "no axis of 1 or 3 channels");
        Refused(folder => Npy.Write(folder["x_train.npy"], new byte[6 * 75], 6, 5, 5, 3), "both must be of one size");
        Refused(folder => Npy.Write(folder["x_train.npy"], Array.Empty<byte>(), 0, 4, 5, 3), "at least one image");
    }

    private static void Refused(Action<ScratchFolder> spoil, string part)
    {
        using var folder = Files([4, 5, 3]);
        spoil(folder);
        Assert.That(() => NpyPairs.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains(part));
    }
}
