using System.Globalization;
using Dom.Train.Reports;

namespace Dom.Train.Analysis;

/// <summary>Writes an analysis into a folder: a page, a picture for every chart, a table for every set of figures.</summary>
public static class AnalysisFolder
{
    /// <summary>Name of the page.</summary>
    public const string PageFile = "analysis.html";

    /// <summary>Writes all files, each as a whole or not at all; files of an earlier analysis that this one does not have are deleted.</summary>
    /// <param name="folder">The folder; made where there is none.</param>
    /// <param name="analysis">The analysis.</param>
    /// <param name="heading">What the page says of the run.</param>
    /// <param name="compared">Runs to be compared, this one among them; may be empty.</param>
    /// <returns>Names of the files, the page first.</returns>
    /// <exception cref="IOException">The folder cannot be made or a file not be written.</exception>
    public static IReadOnlyList<string> Write(string folder, RunAnalysis analysis, AnalysisHeading heading, params IReadOnlyList<ComparedRun> compared)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        var files = new List<(string Name, string Text)> { (PageFile, AnalysisPage.Render(analysis, heading, compared)) };
        foreach (var table in AnalysisTables.Of(analysis, compared))
        {
            using var writer = new StringWriter(CultureInfo.InvariantCulture);
            table.Write(writer);
            files.Add((table.File, writer.ToString()));
        }
        foreach (var (name, chart) in AnalysisFigures.Of(analysis, compared).SelectMany(figure => figure.Charts))
            files.Add((name + ".svg", StandaloneChart.Render(chart)));
        try
        {
            Directory.CreateDirectory(folder);
            // What an analysis with another K left behind would be taken for a part of this one.
            foreach (string name in s_known.Except(files.Select(file => file.Name)))
                File.Delete(Path.Combine(folder, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{folder}: the analysis cannot be written there: {DiskError.Describe(e)}.", e) { HResult = e.HResult };
        }
        foreach (var (name, text) in files)
            AtomicFile.WriteText(Path.Combine(folder, name), text);
        return [.. files.Select(file => file.Name)];
    }

    private static readonly string[] s_known =
    [
        "accuracy.csv", "natural_ranges.csv", "adversarial_ranges.csv", "confidence.csv", "groups.csv", "persistence.csv", "overlap.csv",
        "adversarial_by_confidence.csv", "labels.csv", "comparison.csv", "accuracy.svg", "natural-ranges.svg", "adversarial-ranges.svg", "confidence.svg", "groups-fixed.svg",
        "groups-current.svg", "persistence.svg", "persistence-share.svg", "overlap.svg", "overlap-profile.svg", "adversarial-by-confidence.svg", "labels.svg", "comparison.svg",
    ];
}
