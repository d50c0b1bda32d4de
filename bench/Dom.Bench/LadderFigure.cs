using System.Globalization;
using System.Text;

namespace Dom.Bench;

/// <summary>
/// The ladder as a picture: a bar for the rate of each rung on a logarithmic scale, and the measured peaks as lines.
/// </summary>
internal static class LadderFigure
{
    private const int Left = 190, Top = 44, BarHeight = 20, Pitch = 30, ScaleWidth = 520, Right = 60, Bottom = 42;
    private const double Least = 1, Most = 1000;
    private const string Halo = """stroke="#fff" stroke-width="3" paint-order="stroke" """; // where a line of a peak passes

    /// <summary>An SVG of its own, readable on light and dark pages.</summary>
    public static string Draw(
        (string Name, bool UsesThreads, double Rate)[] rungs, double peakOfOne, double peakOfAll, int threads)
    {
        int width = Left + ScaleWidth + Right, foot = Top + rungs.Length * Pitch, height = foot + Bottom;
        var svg = new StringBuilder();
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" """);
        Line($"""  font-family="system-ui, sans-serif" font-size="13">""");
        Line($"""<title>Effective GFLOP/s of each rung, logarithmic scale</title>""");
        Line($"""<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>""");
        foreach (int decade in (int[])[1, 10, 100, 1000])
        {
            Line($"""<line x1="{X(decade):F1}" y1="{Top - 6}" x2="{X(decade):F1}" y2="{foot}" stroke="#e3e6ea"/>""");
            Line($"""<text x="{X(decade):F1}" y="{foot + 16}" text-anchor="middle" fill="#5b6470">{decade}</text>""");
        }
        Line($"""<text x="{X(31.6):F1}" y="{foot + 34}" text-anchor="middle" fill="#5b6470">""");
        Line($"""effective GFLOP/s (all nine taps count); light: 1 thread, dark: {threads} threads, gray: side steps</text>""");
        for (int i = 0; i < rungs.Length; i++)
        {
            var (name, usesThreads, rate) = rungs[i];
            string color = name.StartsWith('(') ? "#d3d9e0" : usesThreads ? "#1f6feb" : "#8fb8f6"; // brackets: a side step
            int y = Top + i * Pitch;
            Line($"""<text x="{Left - 10}" y="{y + 15}" text-anchor="end" fill="#1f2328">{name}</text>""");
            Line($"""<rect x="{Left}" y="{y}" width="{X(rate) - Left:F1}" height="{BarHeight}" rx="2" fill="{color}"/>""");
        }
        DrawPeak(peakOfOne, "peak, 1 thread", "end", -4);
        if (threads > 1)
            DrawPeak(peakOfAll, $"peak, {threads} threads", "start", 4);
        for (int i = 0; i < rungs.Length; i++)
        {
            string label = rungs[i].Rate.ToString(rungs[i].Rate < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);
            Line($"""<text x="{X(rungs[i].Rate) + 6:F1}" y="{Top + i * Pitch + 15}" fill="#1f2328" {Halo}>{label}</text>""");
        }
        Line($"</svg>");
        return svg.ToString();

        void DrawPeak(double peak, string label, string anchor, int offset)
        {
            Line($"""<path d="M{X(peak):F1} {Top - 10}V{foot}" stroke="#c2410c" stroke-dasharray="5 4"/>""");
            Line($"""<text x="{X(peak) + offset:F1}" y="{Top - 16}" text-anchor="{anchor}" fill="#c2410c">""");
            Line($"""{label}: {peak:F0}</text>""");
        }

        void Line(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static double X(double rate) => Left + ScaleWidth * Math.Log(rate / Least) / Math.Log(Most / Least);
}
