using System.Xml.Linq;
using Dom.Train.Analysis;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Analysis;

public sealed class AnalysisFolderTests
{
    private static readonly AnalysisSettings s_settings = new() { Threshold = 0.2f, Warmup = 2, Ranges = LossRanges.Adversarial };

    private ExampleLedgers _ledgers = null!;

    [SetUp]
    public void Open() => _ledgers = new ExampleLedgers();

    [TearDown]
    public void Close() => _ledgers.Dispose();

    [Test]
    public void The_page_of_an_adversarial_run_with_wrong_labels_has_every_figure_and_loads_nothing()
    {
        string page = AnalysisPage.Render(Adversarial(), new AnalysisHeading("<b>net</b> on data", "A lead & more.", "A note."));
        var document = XDocument.Parse(page);
        Assert.Multiple(() =>
        {
            Assert.That(document.Descendants("h2").Select(h => h.Value), Is.EqualTo(new[]
            {
                "Main figures", "Accuracy and the onsets of overfitting", "Samples by range of the natural loss", "Samples by range of the adversarial loss",
                "High confidence, original and transformed", "Mean loss of original and transformed samples", "Persistence", "Natural and adversarial rank",
                "Adversarial loss by natural confidence", "Wrong labels among the transformed samples", "Files beside this page",
            }));
            Assert.That(document.Descendants("svg").Count(), Is.EqualTo(12));
            Assert.That(document.Descendants("h1").Single().Value, Is.EqualTo("Over-memorization: <b>net</b> on data"));
            Assert.That(page, Does.Not.Contain("://").And.Not.Contain("url(").And.Not.Contain("@import").And.Not.Contain("NaN").And.Not.Contain("\r"));
            Assert.That(document.Descendants("script").Concat(document.Descendants("link")).Concat(document.Descendants("img")), Is.Empty);
        });
    }

    [Test]
    public void A_natural_run_says_that_it_has_no_adversarial_losses()
    {
        var analysis = RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses, labels: false), [], s_settings);
        string page = AnalysisPage.Render(analysis, new AnalysisHeading("net"));
        Assert.That(page, Does.Contain("Not shown").And.Contain("trained without an attack").And.Contain("does not say which labels are wrong").And.Not.Contain("fourth panels"));
    }

    [Test]
    public void The_sentences_carry_the_figures_that_were_worked_out_by_hand()
    {
        var sentences = AnalysisSentences.Of(Adversarial()).ToDictionary(s => s.Name, s => s.Value);
        Assert.Multiple(() =>
        {
            Assert.That(sentences["high confidence"], Does.Contain("0.0 % of the samples below T = 0.2 in epoch 1, 50.0 % in epoch 5").And.Contain("a jump of +61.1 points (epochs 3 to 5 against 1)"));
            Assert.That(sentences["over-memorized"], Does.StartWith("2 of 3 confident samples in epoch 5 were not below T in epoch K = 2 (transformed), 1 was"));
            Assert.That(sentences["persistence"], Does.Contain("original +0.175 nats, 50.0 % still below T; transformed +0.075 nats"));
            Assert.That(sentences["wrong labels"], Does.StartWith("2 of 2 wrongly labelled samples are transformed (100.0 %)"));
            Assert.That(sentences["losses"], Does.Contain("as recorded in training").And.Contain("--ledger-pass"));
            Assert.That(sentences["natural overfitting"], Does.StartWith("from epoch 3 on"));
        });
    }

    [Test]
    public void The_folder_holds_page_tables_and_pictures_and_nothing_of_an_earlier_analysis()
    {
        string folder = _ledgers.Folder("out");
        var files = AnalysisFolder.Write(folder, Adversarial(), new AnalysisHeading("net"));
        Assert.That(files[0], Is.EqualTo(AnalysisFolder.PageFile));
        Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EquivalentTo(files));
        Assert.That((files.Count(f => f.EndsWith(".csv", StringComparison.Ordinal)), files.Count(f => f.EndsWith(".svg", StringComparison.Ordinal))), Is.EqualTo((9, 12)));
        foreach (string picture in files.Where(f => f.EndsWith(".svg", StringComparison.Ordinal)))
        {
            var root = XDocument.Load(Path.Combine(folder, picture)).Root!;
            Assert.That(root.Name, Is.EqualTo((XNamespace)"http://www.w3.org/2000/svg" + "svg"), picture);
            Assert.That(root.Attribute("width")?.Value, Is.EqualTo("500"), picture);
        }
        File.WriteAllText(Path.Combine(folder, "mine.txt"), "stays");
        var fewer = AnalysisFolder.Write(folder, RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses), [], s_settings with { Warmup = 0 }), new AnalysisHeading("net"));
        Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EquivalentTo(fewer.Append("mine.txt")));
    }

    [Test]
    public void Compared_runs_have_a_chart_a_table_and_their_test_error()
    {
        AccuracyPoint[] Course(params double[] test) => [.. test.Select((t, i) => new AccuracyPoint(i + 1, 1, t))];
        ComparedRun[] runs = [new("a b", "none", Course(0.5, 0.7, 0.6)), new("c", "transformed", Course(0.5, 0.8))];
        Assert.That((runs[0].Last, runs[0].Best, runs[0].Gap), Is.EqualTo((0.6, 0.7, 0.4)));
        Assert.That(runs[1].Error, Is.EqualTo(0.2).Within(1e-12));
        Assert.That(Text(AnalysisTables.Of(Adversarial(), runs).Single(t => t.File == "comparison.csv")), Is.EqualTo("epoch,test_1_a_b,test_2_c\n1,0.5,0.5\n2,0.7,0.8\n3,0.6,\n"));
        string page = AnalysisPage.Render(Adversarial(), new AnalysisHeading("net"), runs);
        Assert.That(XDocument.Parse(page).Descendants("svg").Count(), Is.EqualTo(13));
        Assert.That(page, Does.Contain("none (a b) 40.0\u00a0%, best 30.0\u00a0%; transformed (c) 20.0\u00a0%"));
    }

    [Test]
    public void Tables_have_a_row_an_epoch_and_epochs_from_1()
    {
        var tables = AnalysisTables.Of(Adversarial()).ToDictionary(t => t.File);
        Assert.That(Text(tables["labels.csv"]), Is.EqualTo("""
            epoch,right_none,right_original,right_transformed,wrong_none,wrong_original,wrong_transformed,wrong_that_are_transformed,transformed_that_are_wrong
            3,1,2,1,1,0,1,0.5,0.5
            4,2,1,1,0,0,2,1,0.6666666666666666
            5,3,1,0,0,0,2,1,1

            """.ReplaceLineEndings("\n")));
        Assert.That(Text(tables["natural_ranges.csv"]).Split('\n')[0], Is.EqualTo("epoch,mean_loss,share_0..0.5,share_0.5..1,share_1..1.5,share_1.5..2,share_2..2.5,share_2.5..,share_nan"));
        Assert.That(Text(tables["confidence.csv"]).Split('\n')[2..4], Is.EqualTo(new[] { "2,0.3333333333333333,,,", "3,0.6666666666666666,2,2,2" }));
        Assert.That(tables.Values, Has.All.Matches<AnalysisTable>(t => t.Rows.All(r => r.Count == t.Header.Count)));
        Assert.That(tables["groups.csv"].Rows.Select(r => r[0]), Is.EqualTo(new double?[] { 2, 3, 4, 5 }));
    }

    [Test]
    public void Every_table_s_columns_are_documented()
    {
        string chapter = File.ReadAllText(Path.Combine(Repository(), "docs", "analysis.md"));
        foreach (var table in AnalysisTables.Of(Adversarial()))
        {
            Assert.That(chapter, Does.Contain($"`{table.File}`"));
            foreach (string column in table.Header.Where(c => !c.StartsWith("share_", StringComparison.Ordinal) && !c.StartsWith("group_", StringComparison.Ordinal)))
                Assert.That(chapter, Does.Contain($"`{column}`"), table.File);
        }
    }

    private RunAnalysis Adversarial() => RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses, ExampleLedgers.AdversarialLosses),
        [.. Enumerable.Range(1, 5).Select(e => ExampleLedgers.Metrics(e, 0.50 + (0.02 * e), 0.5) with { TrainRobustAccuracy = 0.5, TestRobustAccuracy = 0.4, RobustAttack = "PGD-20" })], s_settings);

    private static string Text(AnalysisTable table)
    {
        using var writer = new StringWriter();
        table.Write(writer);
        return writer.ToString();
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Dom.Native.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The repository was not found above the test's folder.");
        return folder.FullName;
    }
}
