using System.Globalization;
using System.Xml.Linq;
using Dom.Train.Reports;

namespace Dom.Train.Tests.Reports;

public sealed class ChartTests
{
    [TestCase(0.0, 1.0, 5, "0 %|20 %|40 %|60 %|80 %|100 %", true)]
    [TestCase(0.43, 0.97, 5, "40 %|60 %|80 %|100 %", true)]
    [TestCase(0.912, 0.934, 5, "91.0 %|91.5 %|92.0 %|92.5 %|93.0 %|93.5 %", true)]
    [TestCase(1.0, 1.0, 5, "90 %|92 %|94 %|96 %|98 %|100 %", true)]
    [TestCase(0.0, 2.303, 5, "0.0|0.5|1.0|1.5|2.0|2.5", false)]
    [TestCase(0.0, 0.0, 5, "-0.6|-0.4|-0.2|0.0|0.2|0.4|0.6", false)]
    [TestCase(-3.0, 12.0, 5, "-5|0|5|10|15", false)]
    [TestCase(0.0, 45000.0, 5, "0|10000|20000|30000|40000|50000", false)]
    public void Ticks_of_an_axis_lie_at_round_numbers(double low, double high, int intervals, string labels, bool isPercent)
    {
        var axis = AxisScale.Around([low, double.NaN, high, double.PositiveInfinity], intervals, isPercent ? AxisFormat.Percent : AxisFormat.Number);
        Assert.Multiple(() =>
        {
            Assert.That(string.Join('|', axis.Ticks.Select(axis.Label)), Is.EqualTo(labels));
            Assert.That((axis.At(axis.Ticks[0]), axis.At(axis.Ticks[^1])), Is.EqualTo((0.0, 1.0)));
        });
    }

    [TestCase(0.001, 0.1, 5, "0.001|0.002|0.005|0.01|0.02|0.05|0.1")]
    [TestCase(0.001, 0.1, 2, "0.001|0.01|0.1")]
    [TestCase(0.03, 2.3, 5, "0.02|0.05|0.1|0.2|0.5|1|2|5")]
    [TestCase(1.0, 1.0, 5, "1|2")]
    [TestCase(1e-6, 3.0, 5, "1e-6|1e-5|0.0001|0.001|0.01|0.1|1|10")]
    public void Ticks_of_a_logarithmic_axis_lie_at_1_2_5_or_at_powers_of_ten(double low, double high, int intervals, string labels)
    {
        var axis = AxisScale.Logarithmic([low, 0, -1, high], intervals);
        Assert.Multiple(() =>
        {
            Assert.That(string.Join('|', axis.Ticks.Select(axis.Label)), Is.EqualTo(labels));
            Assert.That(axis.At(low), Is.InRange(0, 1));
            Assert.That(axis.At(high), Is.InRange(0, 1));
            Assert.That(axis.At(0), Is.NaN);
        });
    }

    [TestCase(1, "1")]
    [TestCase(3, "1|2|3")]
    [TestCase(20, "5|10|15|20")]
    [TestCase(300, "50|100|150|200|250|300")]
    public void The_axis_of_epochs_has_whole_numbers_only(int epochs, string labels)
    {
        var axis = PlotFrame.PositionAxis([.. Enumerable.Range(1, epochs).Select(e => (double)e)]);
        Assert.That(string.Join('|', axis.Ticks.Select(axis.Label)), Is.EqualTo(labels));
    }

    [Test]
    public void A_missing_value_splits_a_line_and_a_value_alone_becomes_a_dot()
    {
        var chart = new LineChart
        {
            Title = "gaps", X = [1, 2, 3, 4, 5, 6],
            Series = [new("a", [1, 2, double.NaN, 3, double.NaN, double.PositiveInfinity]), new("b", [1, 1, 1, 1, 1, 1])],
        };
        var series = XDocument.Parse(chart.Render()).Descendants("g").Where(g => g.Attribute("class")!.Value.StartsWith("series", StringComparison.Ordinal)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(series[0].Element("path")!.Attribute("d")!.Value.Count(c => c == 'M'), Is.EqualTo(2));
            Assert.That(series[0].Elements("circle").Count(), Is.EqualTo(1));
            Assert.That(series[1].Element("path")!.Attribute("d")!.Value.Count(c => c == 'M'), Is.EqualTo(1));
            Assert.That(series[1].Elements("circle"), Is.Empty);
        });
    }

    [Test]
    public void A_line_passes_through_its_values()
    {
        // Axis 0..100 %: the middle value must lie halfway between the grid lines of 0 % and 100 %.
        var svg = XDocument.Parse(new LineChart { Title = "t", X = [1, 2, 3], Series = [new("a", [0, 0.5, 1])], Format = AxisFormat.Percent }.Render());
        var points = svg.Descendants("path").Single()!.Attribute("d")!.Value.Split('M', 'L').Skip(1)
            .Select(p => p.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        var grid = svg.Descendants("line").Where(l => l.Attribute("class")!.Value == "grid").Select(l => (double)l.Attribute("y1")!).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(points.Select(p => p[1]), Is.EqualTo(new[] { grid.Max(), (grid.Max() + grid.Min()) / 2, grid.Min() }).Within(0.011));
            Assert.That(points[1][0] - points[0][0], Is.EqualTo(points[2][0] - points[1][0]).Within(0.011));
        });
    }

    [Test]
    public void Series_differ_in_their_dashes_and_not_only_in_color()
    {
        var series = Enumerable.Range(0, 6).Select(i => new ChartSeries($"s{i}", [1, 2])).ToArray();
        var svg = XDocument.Parse(new LineChart { Title = "t", X = [1, 2], Series = series }.Render());
        var dashes = svg.Descendants("g").Where(g => g.Element("path") is not null).Select(g => g.Attribute("class")!.Value.Split(' ').Single(c => c.StartsWith("dash", StringComparison.Ordinal)));
        Assert.That(dashes, Is.Unique);
    }

    [Test]
    public void A_marker_is_drawn_with_its_label_and_one_outside_of_the_axis_is_not()
    {
        var chart = new LineChart
        {
            Title = "t", X = [1, 2, 3], Series = [new("a", [1, 2, 3])],
            Markers = [new(2.5, "DOM starts (epoch 3)"), new(9, "later")],
        };
        var labels = XDocument.Parse(chart.Render()).Descendants("text").Where(t => t.Attribute("class")!.Value == "marker-label");
        Assert.That(labels.Select(l => l.Value), Is.EqualTo(new[] { "DOM starts (epoch 3)" }));
    }

    [Test]
    public void Bars_of_shares_fill_the_plot_from_top_to_bottom_without_gaps()
    {
        var shares = new[] { new[] { 0.1, 0.2, 0.7 }, [1.0 / 3, 1.0 / 3, 1.0 / 3], [0, 0, 1.0], [0.123456, 0, 0.876544] };
        var svg = XDocument.Parse(new ShareChart { Title = "t", X = [1, 2, 3, 4], Names = ["low", "middle", "high"], Shares = shares }.Render());
        var grid = svg.Descendants("line").Where(l => l.Attribute("class")!.Value == "grid").Select(l => (double)l.Attribute("y1")!).ToArray();
        var bars = svg.Descendants("g").Select(g => g.Elements("rect").Select(r => (Top: (double)r.Attribute("y")!, Height: (double)r.Attribute("height")!)).ToArray()).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(bars, Has.Length.EqualTo(4));
            foreach (var bar in bars)
            {
                Assert.That(bar.Sum(r => r.Height), Is.EqualTo(grid.Max() - grid.Min()).Within(1e-9));
                Assert.That(bar[^1].Top, Is.EqualTo(grid.Min()).Within(1e-9));
            }
            Assert.That(bars[0][0].Height, Is.EqualTo(0.1 * (grid.Max() - grid.Min())).Within(0.011));
            Assert.That(bars[0][2].Height, Is.EqualTo(0.7 * (grid.Max() - grid.Min())).Within(0.011));
        });
    }

    [Test]
    public void An_epoch_without_shares_leaves_a_gap()
    {
        var svg = XDocument.Parse(new ShareChart { Title = "t", X = [1, 2], Names = ["a", "b"], Shares = [[double.NaN, 0], [0.5, 0.5]] }.Render());
        Assert.That(svg.Descendants("g").Count(), Is.EqualTo(1));
    }

    [Test]
    public void Texts_of_a_chart_are_escaped()
    {
        string svg = new LineChart { Title = "<script>", X = [1], Series = [new("<b>&", [1])], Markers = [new(1, "\"<i>")], YLabel = "<u>" }.Render();
        Assert.Multiple(() =>
        {
            Assert.That(svg, Does.Not.Contain("<script").And.Not.Contain("<b>").And.Not.Contain("<i>").And.Not.Contain("<u>"));
            Assert.That(XDocument.Parse(svg).Root!.Element("title")!.Value, Is.EqualTo("<script>"));
        });
    }

    [Test]
    public void Lists_of_unequal_length_are_refused_with_both_lengths()
    {
        var lines = new LineChart { Title = "t", X = [1, 2], Series = [new("a", [1])] };
        var bars = new ShareChart { Title = "t", X = [1], Names = ["a", "b"], Shares = [[1]] };
        Assert.Multiple(() =>
        {
            Assert.That(lines.Render, Throws.ArgumentException.With.Message.Contains("1 values for 2 positions"));
            Assert.That(bars.Render, Throws.ArgumentException.With.Message.Contains("1 shares for 2 names"));
        });
    }
}
