using Dom.Train.Data;
using Dom.Train.Tests.Data.Mat;

namespace Dom.Train.Tests.Data;

public sealed class SvhnTests
{
    private const int Size = 32 * 32 * 3;

    // X(row, column, channel, image) is a number that tells all four apart.
    private static byte Pixel(int row, int column, int channel, int image) => (byte)(row * 7 + column * 3 + channel * 101 + image * 53);

    private static byte[] Images(int count)
    {
        var columns = new byte[count * Size];
        for (int image = 0; image < count; image++)
            for (int channel = 0; channel < 3; channel++)
                for (int column = 0; column < 32; column++)
                    for (int row = 0; row < 32; row++)
                        columns[row + 32 * (column + 32 * (channel + 3 * image))] = Pixel(row, column, channel, image);
        return columns;
    }

    private static byte[] File(params byte[] labels) => new MatWriter(compressed: true)
        .Add("X", [32, 32, 3, labels.Length], Images(labels.Length)).Add("y", [labels.Length, 1], labels).ToArray();

    [Test]
    public void Pixels_come_in_rows_with_channels_innermost_and_label_10_is_the_digit_0()
    {
        using var folder = new ScratchFolder();
        var split = Svhn.LoadSplit(folder.Write("train_32x32.mat", File(10, 1, 9)));
        Assert.That((split.Height, split.Width, split.Channels, split.Count), Is.EqualTo((32, 32, 3, 3)));
        Assert.That(split.Labels, Is.EqualTo(new[] { 0, 1, 9 }));
        for (int image = 0; image < 3; image++)
            for (int row = 0; row < 32; row++)
                for (int column = 0; column < 32; column++)
                    for (int channel = 0; channel < 3; channel++)
                        if (split.Image(image)[(row * 32 + column) * 3 + channel] != Pixel(row, column, channel, image))
                            Assert.Fail($"image {image}, row {row}, column {column}, channel {channel}");
    }

    [TestCase("")]
    [TestCase("svhn/")]
    public void The_set_opens_by_its_name_and_is_normalized_by_the_constants_of_the_sibling_code(string inner)
    {
        using var folder = new ScratchFolder();
        folder.Write(inner + "train_32x32.mat", File(1, 2, 3));
        folder.Write(inner + "test_32x32.mat", File(10, 5));
        var set = DataSets.Open("svhn", folder.Path);
        var (mean, std) = DataSets.Normalization(set);
        Assert.Multiple(() =>
        {
            Assert.That((set.Name, set.Train.Count, set.Test.Count), Is.EqualTo(("svhn", 3, 2)));
            Assert.That(set.ClassNames[set.Test.Labels[0]], Is.EqualTo("0"));
            Assert.That(mean, Is.EqualTo(new[] { 0.4380f, 0.4440f, 0.4730f }));
            Assert.That(std, Is.EqualTo(new[] { 0.1751f, 0.1771f, 0.1744f }));
            Assert.That(DataSets.Open(Path.Combine(folder.Path, inner)).Hash(), Is.EqualTo(set.Hash()), "by its folder");
        });
    }

    [Test]
    public void The_extra_images_are_trained_on_where_they_are_asked_for_and_only_then()
    {
        using var folder = new ScratchFolder();
        folder.Write("train_32x32.mat", File(1, 2, 3));
        folder.Write("test_32x32.mat", File(4));
        Assert.That(() => DataSets.Open("svhn-extra", folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("extra_32x32.mat").And.Message.Contains("svhn-extra"));
        folder.Write("extra_32x32.mat", File(10, 9));
        Assert.Multiple(() =>
        {
            Assert.That(DataSets.Open("svhn", folder.Path).Train.Labels, Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That(DataSets.Open("svhn-extra", folder.Path).Train.Labels, Is.EqualTo(new[] { 1, 2, 3, 0, 9 }));
        });
    }

    [Test]
    public void A_single_image_whose_last_dimension_MATLAB_dropped_is_read()
    {
        using var folder = new ScratchFolder();
        string path = folder.Write("x.mat", new MatWriter().Add("X", [32, 32, 3], Images(1)).Add("y", [1, 1], [7]).ToArray());
        Assert.That(Svhn.LoadSplit(path).Labels, Is.EqualTo(new[] { 7 }));
    }

    [Test]
    public void What_is_not_as_it_should_be_is_named_with_what_came()
    {
        using var folder = new ScratchFolder();
        string labels = folder.Write("labels.mat", File(1, 0));
        string shape = folder.Write("shape.mat", new MatWriter().Add("X", [3, 32, 32, 1], Images(1)).Add("y", [1, 1], [7]).ToArray());
        string count = folder.Write("count.mat", new MatWriter().Add("X", [32, 32, 3, 2], Images(2)).Add("y", [1, 1], [7]).ToArray());
        string half = folder.Write("half.mat", new MatWriter().Add("X", [32, 32, 3, 1], Images(1)).Add("y", [1, 1], MatWriter.Doubles(false, 1.5), kind: 6, type: 9).ToArray());
        string none = folder.Write("none.mat", new MatWriter().Add("y", [1, 1], [7]).ToArray());
        Assert.Multiple(() =>
        {
            Assert.That(() => Svhn.LoadSplit(labels), Throws.TypeOf<DataException>().With.Message.Contains("element 1 of 'y' is 0").And.Message.Contains("1 to 10"));
            Assert.That(() => Svhn.LoadSplit(shape), Throws.TypeOf<DataException>().With.Message.Contains("[3, 32, 32, 1]").And.Message.Contains("[32, 32, 3, N]"));
            Assert.That(() => Svhn.LoadSplit(count), Throws.TypeOf<DataException>().With.Message.Contains("1 labels").And.Message.Contains("2 images"));
            Assert.That(() => Svhn.LoadSplit(half), Throws.TypeOf<DataException>().With.Message.Contains("1.5"));
            Assert.That(() => Svhn.LoadSplit(none), Throws.TypeOf<DataException>().With.Message.Contains("no variable 'X'"));
            Assert.That(() => Svhn.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("train_32x32.mat, test_32x32.mat").And.Message.Contains("dom data download svhn"));
        });
    }
}
