using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class DataSetsTests
{
    [Test]
    public void The_embedded_set_opens_by_name_with_its_options()
    {
        var set = DataSets.Open("embedded", null, new EmbeddedOptions(50, 30, 4));
        Assert.That(set.Hash(), Is.EqualTo(EmbeddedImages.Create(50, 30, 4).Hash()));
    }

    [Test]
    public void An_unknown_name_lists_the_names_and_the_nearest_one()
    {
        var error = Assert.Throws<DataException>(() => DataSets.Open("cifra10"))!;
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain("did you mean 'cifar10'?"));
            foreach (string name in DataSets.Names)
                Assert.That(error.Message, Does.Contain(name));
        });
    }

    [Test]
    public void A_named_set_that_is_not_there_says_where_it_was_looked_for()
    {
        using var folder = new ScratchFolder();
        foreach (string name in DataSets.Names.Skip(1))
            Assert.That(() => DataSets.Open(name, folder.Path), Throws.TypeOf<DataException>().With.Message.Contains(folder.Path).And.Message.Contains("dom data download"));
    }

    [TestCase("")]
    [TestCase("cifar10/")]
    public void A_named_set_is_found_in_the_data_folder_and_in_its_own_folder_there(string inner)
    {
        using var folder = new ScratchFolder();
        for (int i = 1; i <= 5; i++)
            folder.Write($"{inner}cifar-10-batches-bin/data_batch_{i}.bin", new byte[3073]);
        folder.Write($"{inner}cifar-10-batches-bin/test_batch.bin", new byte[3073]);
        Assert.That(DataSets.Open("CIFAR10", folder.Path).Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void Fashion_and_digits_in_one_data_folder_are_not_mixed_up()
    {
        using var folder = new ScratchFolder();
        foreach (var (name, label) in new[] { ("mnist", 1), ("fashion-mnist", 2) })
        {
            foreach (string part in new[] { "train", "t10k" })
            {
                folder.Write($"{name}/{part}-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]);
                folder.Write($"{name}/{part}-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 1, (byte)label]);
            }
        }
        Assert.Multiple(() =>
        {
            Assert.That(DataSets.Open("mnist", folder.Path).Train.Labels[0], Is.EqualTo(1));
            Assert.That(DataSets.Open("fashion-mnist", folder.Path).Train.Labels[0], Is.EqualTo(2));
            Assert.That(DataSets.Open(folder["fashion-mnist"]).ClassNames[2], Is.EqualTo("Pullover"));
        });
    }

    [Test]
    public void A_folder_of_folders_goes_to_the_reader_of_image_folders()
    {
        using var folder = new ScratchFolder();
        folder.Write("cat/1.png", [1]);
        var set = EmbeddedImages.Create(10, 10);
        Assert.Multiple(() =>
        {
            Assert.That(DataSets.Open(folder.Path, imageFolder: path => set with { Name = path }).Name, Is.EqualTo(folder.Path));
            Assert.That(() => DataSets.Open(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("no data set there"));
        });
    }

    [Test]
    public void A_path_that_is_no_folder_is_refused_with_the_reason()
    {
        using var folder = new ScratchFolder();
        string archive = folder.Write("cifar.tar.gz", [1]);
        Assert.Multiple(() =>
        {
            Assert.That(() => DataSets.Open(folder["absent"]), Throws.TypeOf<DataException>().With.Message.Contains("no such folder"));
            Assert.That(() => DataSets.Open(archive), Throws.TypeOf<DataException>().With.Message.Contains("Unpack"));
        });
    }

    [Test]
    public void Normalization_of_an_unpublished_set_is_computed_from_its_training_images()
    {
        var split = new ImageSplit([0, 10, 7, 255, 30, 7], [0, 1], 1, 1, 3);
        var (mean, std) = DataSets.Normalization(new DataSet("mine", split, split, ["a", "b"]));
        Assert.Multiple(() =>
        {
            Assert.That(mean, Is.EqualTo(new[] { 0.5f, 20 / 255f, 7 / 255f }).Within(1e-7));
            // Two values that differ by d have the deviation d / 2; a constant channel is divided by 1.
            Assert.That(std, Is.EqualTo(new[] { 0.5f, 10 / 255f, 1f }).Within(1e-7));
        });
    }

    [Test]
    public void The_published_constants_of_MNIST_agree_with_its_real_test_digits()
    {
        var set = DataSets.Open("mnist-t10k", SharedData.FolderOrSkip());
        var (mean, std) = DataSets.Normalization(set);
        var (computedMean, computedStd) = ChannelStatistics.Of(set.Train);
        Assert.Multiple(() =>
        {
            Assert.That(mean[0], Is.EqualTo(0.1307f));
            // 8,000 of the test digits against the 60,000 training digits: within 3 %.
            Assert.That(computedMean[0], Is.EqualTo(mean[0]).Within(3).Percent);
            Assert.That(computedStd[0], Is.EqualTo(std[0]).Within(3).Percent);
        });
    }
}
