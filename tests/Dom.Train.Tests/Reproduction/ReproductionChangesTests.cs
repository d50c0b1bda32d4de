using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Train.Tests.Reproduction;

public sealed class ReproductionChangesTests
{
    private static PaperCell Cell(int table, string name) => PaperTables.Of(table).Cells.Single(cell => cell.Name == name);

    [Test]
    public void Without_changes_a_run_has_the_options_of_its_preset()
    {
        foreach (var cell in PaperTables.Cells)
            Assert.That(new ReproductionChanges().Apply(cell, 2), Is.EqualTo(Presets.Find(cell.Preset).Options with { Seed = 2 }), cell.Preset);
        Assert.That(new ReproductionChanges().Title, Is.Empty);
    }

    // 0.1: 300 epochs become 30 with K = 15, 50,000 images 5,000. 0.005: 1.5 epochs are rounded up to 2, 250 images stay, 50 test images become 100.
    [TestCase(2, "cifar10/preact-resnet18/remove", 0.1, 30, 15, 5000, 1000)]
    [TestCase(2, "cifar10/preact-resnet18/remove", 0.005, 2, 1, 250, 100)]
    [TestCase(2, "cifar10/preact-resnet18/remove", 0.001, 2, 1, 128, 100)]
    [TestCase(4, "cifar100/remove", 0.1, 5, 2, 5000, 1000)]
    [TestCase(8, "svhn/remove", 0.5, 10, 5, 36629, 13016)]
    [TestCase(9, "tiny-imagenet/remove", 0.01, 3, 1, 1000, 100)]
    public void Scaling_shortens_epochs_warm_up_and_images_by_the_same_factor(
        int table, string name, double scale, int epochs, int warmup, int train, int test)
    {
        var options = new ReproductionChanges { Scale = scale }.Apply(Cell(table, name), 0);
        Assert.Multiple(() =>
        {
            Assert.That((options.Epochs, options.EffectiveWarmup, options.LimitTrain, options.LimitTest), Is.EqualTo((epochs, warmup, train, test)));
            Assert.That(options.Validate, Throws.Nothing);
        });
    }

    [Test]
    public void Every_change_is_named_in_the_title()
    {
        var changes = new ReproductionChanges { Scale = 0.02, Data = "embedded", Model = "preact-resnet8", Epochs = 4, LimitTrain = 64 };
        var plan = new ReproductionPlan(PaperTables.Of(2), changes, 1, "out", PaperTables.Of(2).Cells);
        Assert.That(plan.Title, Is.EqualTo(
            "Table 2, scaled by 0.02, data embedded, model preact-resnet8, 4 epochs, 64 training images: natural training on CIFAR-10 and CIFAR-100, test error"));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1.5)]
    [TestCase(double.NaN)]
    public void A_scale_that_makes_no_sense_is_refused(double scale) => Assert.That(
        new ReproductionChanges { Scale = scale }.Validate, Throws.TypeOf<OptionException>().With.Message.Contains("--scale").And.Message.Contains("above 0"));

    [Test]
    public void Rows_that_are_the_same_run_have_one_folder_named_by_the_first()
    {
        var plan = new ReproductionPlan(PaperTables.Of(12), new ReproductionChanges(), 2, "out", PaperTables.Of(12).Cells);
        string FolderOf(string name) => plan.Runs.First(run => run.Cell.Name == name).Folder.Path.Replace('\\', '/');
        Assert.Multiple(() =>
        {
            Assert.That(FolderOf("cifar10/natural/baseline"), Is.EqualTo("out/runs/table2/cifar10/preact-resnet18/baseline/seed-0"));
            Assert.That(FolderOf("cifar10/pgd/baseline"), Is.EqualTo("out/runs/table3/cifar10/baseline/seed-0"));
            Assert.That(FolderOf("cifar10/natural/remove"), Is.EqualTo("out/runs/table12/cifar10/natural/remove/seed-0"));
            Assert.That(plan.Runs.Select(run => run.Folder.Path).Distinct().Count(), Is.EqualTo(24));
        });
        // Within a table no two rows are the same run.
        foreach (var table in PaperTables.All.Where(table => table.Number != 13))
            Assert.That(table.Cells.Select(ReproductionPlan.FirstOf).Distinct().Count(), Is.EqualTo(table.Cells.Count), table.Title);
    }

    [TestCase("remove", 4)]
    [TestCase("cifar10/remove", 2)]
    [TestCase("cifar10/preact-resnet18/remove", 1)]
    [TestCase("augment-*", 8)]
    [TestCase("wide-*/baseline,augmix/cifar100", 4)]
    [TestCase("TABLE2/cifar100", 12)]
    public void A_filter_takes_rows_by_parts_of_their_names(string filter, int count) =>
        Assert.That(CellFilter.Choose(PaperTables.Of(2).Cells, filter), Has.Count.EqualTo(count));

    [TestCase("removed", "did you mean 'remove'?")]
    [TestCase("svhn", "cifar10, preact-resnet18")]
    [TestCase(",", "matches no row")]
    public void A_filter_that_takes_none_is_refused_with_the_parts_there_are(string filter, string said) => Assert.That(
        () => CellFilter.Choose(PaperTables.Of(2).Cells, filter), Throws.TypeOf<OptionException>().With.Message.Contains(said));

    [TestCase(10, "vision transformer")]
    [TestCase(5, "settings")]
    [TestCase(14, "2, 3, 4, 6")]
    public void A_table_that_cannot_be_reproduced_is_refused_with_the_reason(int number, string said) =>
        Assert.That(() => PaperTables.Of(number), Throws.TypeOf<OptionException>().With.Message.Contains(said));
}
