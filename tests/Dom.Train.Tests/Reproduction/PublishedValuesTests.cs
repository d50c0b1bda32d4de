using Dom.Train.Reproduction;

namespace Dom.Train.Tests.Reproduction;

/// <summary>The numbers of the paper, against some that were typed in from it a second time, and against themselves.</summary>
public sealed class PublishedValuesTests
{
    // Printed differences that are not best minus last: slips of the paper's.
    private static readonly string[] s_slips = ["11 cifar10/augmix", "9 tiny-imagenet/randaugment", "9 tiny-imagenet/augment-randaugment"];

    [TestCase(2, "cifar10/preact-resnet18/baseline", 0, 4.70, 0.09)]
    [TestCase(2, "cifar10/preact-resnet18/remove", 1, 4.63, 0.19)]
    [TestCase(2, "cifar100/preact-resnet18/randaugment", 2, -0.48, null)]
    [TestCase(2, "cifar10/wide-resnet34-10/augment-randaugment", 0, 2.98, 0.02)]
    [TestCase(2, "cifar100/wide-resnet34-10/augment-augmix", 1, 18.36, 0.01)]
    [TestCase(3, "cifar10/baseline", 4, 45.16, 1.20)]
    [TestCase(3, "cifar10/remove", 5, 32.90, 1.02)]
    [TestCase(3, "cifar10/augment-randaugment", 4, 50.39, 0.91)]
    [TestCase(3, "cifar100/augmix", 0, 52.46, 0.73)]
    [TestCase(4, "cifar10/baseline", 1, 0.00, null)]
    [TestCase(4, "cifar10/remove", 2, 17.10, 0.82)]
    [TestCase(4, "cifar100/augment-randaugment", 1, 27.44, 0.12)]
    [TestCase(6, "svhn/wide-resnet34-10/remove", 0, 2.75, 0.01)]
    [TestCase(7, "svhn/baseline", 4, 48.32, 0.24)]
    [TestCase(7, "svhn/augment-augmix", 3, 92.05, 0.89)]
    [TestCase(8, "svhn/randaugment", 1, 0.35, 0.22)]
    [TestCase(8, "svhn/augmix", 2, 0.00, 0.01)]
    [TestCase(9, "tiny-imagenet/remove", 0, 34.89, 0.02)]
    [TestCase(10, "cifar10/augment-randaugment", 0, 1.17, 0.01)]
    [TestCase(11, "cifar10/augment-augmix", 1, 4.49, 0.01)]
    [TestCase(12, "cifar10/fgsm/baseline", 0, 57.83, 1.24)]
    [TestCase(12, "cifar10/pgd/remove", 1, 52.83, 0.28)]
    [TestCase(12, "cifar100/natural/baseline", 1, 21.59, null)]
    [TestCase(13, "cifar10/augment-augmix", 1, 28.45, null)]
    public void A_number_is_the_papers(int table, string cell, int column, double mean, double? deviation) =>
        Assert.That(PublishedValues.Of(table, cell)[column], Is.EqualTo(new PublishedValue(mean, deviation)));

    [Test]
    public void Every_row_of_a_table_has_a_number_for_each_column()
    {
        foreach (var table in PaperTables.All)
            foreach (var cell in table.Cells)
                Assert.That(cell.Published, Has.Count.EqualTo(table.Measures.Count), cell.Preset);
        var rows = PaperTables.All.SelectMany(table => table.Cells).Select(cell => (cell.Table, cell.Name));
        Assert.That(PublishedValues.Cells.Where(row => row.Table != 10), Is.EquivalentTo(rows), "no row is published that is no preset, but for the transformer's");
    }

    [Test]
    public void A_printed_difference_is_best_minus_last_but_for_the_papers_known_slips()
    {
        var wrong = PublishedValues.Cells.Where(row => row.Table is 2 or 6 or 9 or 10 or 11 or 12).Where(row =>
        {
            var values = PublishedValues.Of(row.Table, row.Cell);
            return Math.Abs(values[0].Mean - values[1].Mean - values[2].Mean) > 0.005;
        }).Select(row => $"{row.Table} {row.Cell}");
        Assert.That(wrong, Is.EquivalentTo(s_slips));
    }

    [Test]
    public void Tables_2_and_12_have_the_same_baselines_but_for_one_slip()
    {
        string[] same = ["baseline", "augmix", "randaugment"];
        foreach (string method in same)
        {
            Assert.That(PublishedValues.Of(12, $"cifar10/natural/{method}").Select(value => value.Mean),
                Is.EqualTo(PublishedValues.Of(2, $"cifar10/preact-resnet18/{method}").Select(value => value.Mean)));
        }
        Assert.That(PublishedValues.Of(2, "cifar100/preact-resnet18/baseline")[1].Mean, Is.EqualTo(21.61));
        Assert.That(PublishedValues.Of(12, "cifar10/pgd/baseline")[1].Mean, Is.EqualTo(100 - PublishedValues.Of(3, "cifar10/baseline")[4].Mean).Within(1e-9));
    }
}
