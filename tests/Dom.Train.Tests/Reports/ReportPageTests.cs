using System.Globalization;
using System.Xml.Linq;
using Dom.Train.Reports;

namespace Dom.Train.Tests.Reports;

public sealed class ReportPageTests
{
    private static IEnumerable<TestCaseData> Examples() =>
    [
        new TestCaseData(ExampleReports.NaturalWithWrongLabels()).SetArgDisplayNames("natural"),
        new TestCaseData(ExampleReports.Adversarial()).SetArgDisplayNames("adversarial"),
        new TestCaseData(ExampleReports.OneEpoch()).SetArgDisplayNames("one-epoch"),
        new TestCaseData(ExampleReports.Empty).SetArgDisplayNames("empty"),
    ];

    [TestCaseSource(nameof(Examples))]
    public void Every_kind_of_run_gives_a_well_formed_page_that_loads_and_runs_nothing(RunReport report)
    {
        string page = ReportPage.Render(report);
        // For a look at it in a browser.
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"report-{report.Title.Split(' ')[0]}.html");
        File.WriteAllText(file, page);
        TestContext.AddTestAttachment(file);

        var document = XDocument.Parse(page);
        Assert.Multiple(() =>
        {
            Assert.That(document.Root!.Name.LocalName, Is.EqualTo("html"));
            Assert.That(page, Does.Not.Contain("://"));
            Assert.That(page, Does.Not.Contain("url(").And.Not.Contain("@import"));
            Assert.That(page, Does.Not.Contain("NaN").And.Not.Contain("\r"));
            Assert.That(document.Descendants("script").Concat(document.Descendants("link")), Is.Empty);
            Assert.That(document.Descendants("img").Select(i => (string)i.Attribute("src")!), Has.All.StartsWith("data:image/png;base64,"));
            Assert.That(document.Descendants("svg").Select(s => s.Attribute("role")?.Value), Has.All.EqualTo("img"));
            Assert.That(document.Descendants("svg").Select(s => s.Element("title")?.Value), Has.All.Not.Empty);
        });
    }

    [TestCaseSource(nameof(Examples))]
    public void Elements_that_HTML_does_not_know_as_void_are_closed_by_a_tag(RunReport report)
    {
        // A browser reads <td/> as <td>: only elements of SVG and void elements of HTML may close themselves.
        string[] mayBeEmpty = ["meta", "img", "line", "rect", "path", "circle"];
        var empty = XDocument.Parse(ReportPage.Render(report)).Descendants().Where(e => e.IsEmpty).Select(e => e.Name.LocalName).Distinct();
        Assert.That(empty, Is.SubsetOf(mayBeEmpty));
    }

    [Test]
    public void The_same_report_gives_the_same_bytes_whatever_the_culture()
    {
        string first = ReportPage.Render(ExampleReports.NaturalWithWrongLabels());
        var before = CultureInfo.CurrentCulture;
        var commas = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        commas.NumberFormat.NumberDecimalSeparator = ",";
        commas.NumberFormat.NumberGroupSeparator = ".";
        commas.NumberFormat.NegativeSign = "minus";
        try
        {
            CultureInfo.CurrentCulture = commas;
            using var writer = new StringWriter();
            ReportPage.Write(writer, ExampleReports.NaturalWithWrongLabels());
            Assert.That(writer.ToString(), Is.EqualTo(first));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Test]
    public void Every_text_of_the_user_is_shown_as_it_is_and_never_becomes_markup()
    {
        const string evil = "<script>alert('x')</script>\"&amp;\u0000\u0007\ud800 ]]> </style>";
        const string shown = "<script>alert('x')</script>\"&amp;\ufffd\ufffd\ufffd ]]> </style>";
        var epoch = new EpochFigures(1, 0.1, 1, 0.5, 0.5) { Robust = [new(evil, 0.1, 0.1)] };
        string page = ReportPage.Render(ExampleReports.OneEpoch() with
        {
            Title = evil, CommandLine = evil, DataDescription = evil, Note = evil, DomMode = evil, Epochs = [epoch],
            Options = [new(evil, evil)], Environment = [new(evil, evil)], FinalFigures = [new(evil, evil)], OverMemorizedCount = 1,
            OverMemorized = [ExampleReports.Sample(1, 1) with { Label = evil, TrueLabel = evil + "!", Predicted = evil }],
        });
        var document = XDocument.Parse(page);
        Assert.Multiple(() =>
        {
            Assert.That(page, Does.Not.Contain("<script"));
            Assert.That(page.Split("</style>"), Has.Length.EqualTo(2));
            Assert.That(document.Descendants("h1").Single().Value, Is.EqualTo(shown));
            Assert.That(document.Descendants("pre").Single().Value, Is.EqualTo(shown));
            Assert.That(document.Descendants("img").Single().Attribute("alt")!.Value, Does.EndWith(shown));
            Assert.That(document.Descendants("td").Select(d => d.Value), Has.Some.EqualTo(shown));
        });
    }

    [Test]
    public void Sections_without_data_drop_out_or_say_so()
    {
        string[] headings = Headings(ExampleReports.OneEpoch());
        Assert.Multiple(() =>
        {
            Assert.That(headings, Is.EqualTo(new[] { "Accuracy", "Loss and learning rate", "Over-memorized samples", "Every epoch", "To repeat this run" }));
            Assert.That(ReportPage.Render(ExampleReports.OneEpoch()), Does.Contain("No training sample was over-memorized"));
            Assert.That(Headings(ExampleReports.Empty), Is.EqualTo(new[] { "To repeat this run" }));
            Assert.That(ReportPage.Render(ExampleReports.Empty), Does.Contain("No epoch was finished"));
        });
    }

    [Test]
    public void A_run_with_wrong_labels_and_DOM_shows_all_of_its_figures()
    {
        var report = ExampleReports.NaturalWithWrongLabels();
        string page = ReportPage.Render(report);
        Assert.Multiple(() =>
        {
            Assert.That(Headings(report), Is.EqualTo(new[]
            {
                "Accuracy", "Loss and learning rate", "Samples per range of the loss", "Right and wrong labels", "Samples removed by DOM",
                "Over-memorized samples", "Every epoch", "To repeat this run",
            }));
            Assert.That(page, Does.Contain("DOM starts (epoch 11)"));
            Assert.That(page, Does.Contain("12 of 1,317 samples"));
            Assert.That(XDocument.Parse(page).Descendants("tbody").First().Elements("tr").Count(), Is.EqualTo(20));
        });
    }

    [Test]
    public void A_label_is_marked_wrong_only_where_the_true_one_differs()
    {
        var samples = new[] { ("cat", "dog"), ("cat", "cat"), ("cat", null) };
        var report = ExampleReports.OneEpoch() with
        {
            OverMemorized = [.. samples.Select((s, i) => ExampleReports.Sample(i, 1) with { Label = s.Item1, TrueLabel = s.Item2 })],
        };
        var cards = XDocument.Parse(ReportPage.Render(report)).Descendants("article").Select(a => a.Value.Contains("wrong label"));
        Assert.That(cards, Is.EqualTo(new[] { true, false, false }));
    }

    [Test]
    public void Figures_that_are_not_finite_are_shown_as_missing()
    {
        var report = ExampleReports.OneEpoch() with
        {
            Epochs = [new(1, 0.1, double.NaN, 0.1, double.NaN), new(2, 0.1, double.PositiveInfinity, 0.1, double.NaN)],
        };
        var cells = XDocument.Parse(ReportPage.Render(report)).Descendants("tr").ElementAt(1).Elements("td").Select(d => d.Value);
        Assert.That(cells, Is.EqualTo(new[] { "1", "0.1", "–", "10.0\u00a0%", "–" }));
    }

    [Test]
    public void Lists_that_do_not_fit_together_are_refused_by_name_before_anything_is_written()
    {
        using var writer = new StringWriter();
        var shares = ExampleReports.OneEpoch() with { NaturalLosses = new([0.2], [[0.5, 0.5], [0.5, 0.5]]) };
        var ranges = ExampleReports.OneEpoch() with { NaturalLosses = new([0.2, 0.4], [[0.5, 0.5]]) };
        var losses = ExampleReports.OneEpoch() with { OverMemorized = [ExampleReports.Sample(1, 2)] };
        var pixels = ExampleReports.OneEpoch() with { OverMemorized = [ExampleReports.Sample(1, 1) with { Width = 31 }] };
        Assert.Multiple(() =>
        {
            Assert.That(() => ReportPage.Write(writer, shares), Throws.ArgumentException.With.Message.Contains("2 epochs for 1"));
            Assert.That(() => ReportPage.Write(writer, ranges), Throws.ArgumentException.With.Message.Contains("3 loss ranges"));
            Assert.That(() => ReportPage.Write(writer, losses), Throws.ArgumentException.With.Message.Contains("2 losses for 1"));
            Assert.That(() => ReportPage.Write(writer, pixels), Throws.ArgumentException.With.Message.Contains("3072 bytes"));
            Assert.That(writer.ToString(), Is.Empty);
        });
    }

    private static string[] Headings(RunReport report) =>
        [.. XDocument.Parse(ReportPage.Render(report)).Descendants("h2").Select(h => h.Value)];
}
