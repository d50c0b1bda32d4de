using System.Globalization;

namespace Dom.Train.Reports;

/// <summary>How the numbers of an axis are written.</summary>
public enum AxisFormat
{
    /// <summary>As they are.</summary>
    Number,

    /// <summary>Fractions 0..1 as percent.</summary>
    Percent,
}

/// <summary>Maps values of an axis to 0..1 and knows where its ticks are: at 1, 2 or 5 times a power of ten.</summary>
internal sealed class AxisScale
{
    // The fourth is the first of the next decade.
    private static readonly double[] s_steps = [1, 2, 5, 10];

    private readonly bool _isLogarithmic;
    private readonly AxisFormat _format;
    private readonly int _decimals;

    private AxisScale(double minimum, double maximum, double[] ticks, int decimals, bool isLogarithmic, AxisFormat format)
    {
        Minimum = minimum;
        Maximum = maximum;
        Ticks = ticks;
        _decimals = decimals;
        _isLogarithmic = isLogarithmic;
        _format = format;
    }

    public double Minimum { get; }

    public double Maximum { get; }

    public IReadOnlyList<double> Ticks { get; }

    /// <summary>The axis between exactly these values, with the ticks that lie inside.</summary>
    public static AxisScale Exact(double minimum, double maximum, int intervals, bool wholeNumbers = false)
    {
        var (step, decimals) = NiceStep((maximum - minimum) / intervals);
        if (wholeNumbers && step < 1)
            (step, decimals) = (1, 0);
        return new(minimum, maximum, TicksWithin(minimum, maximum, step, decimals), decimals, false, AxisFormat.Number);
    }

    /// <summary>The axis that holds the finite ones of <paramref name="values"/> and starts and ends at a tick.</summary>
    public static AxisScale Around(IEnumerable<double> values, int intervals, AxisFormat format = AxisFormat.Number)
    {
        var (minimum, maximum) = Widened(values, format);
        var (step, decimals) = NiceStep((maximum - minimum) / intervals);
        // A value that is a tick but for rounding must not open a further interval.
        double first = Math.Floor(minimum / step + 1e-9) * step, last = Math.Ceiling(maximum / step - 1e-9) * step;
        double[] ticks = TicksWithin(first, last, step, decimals);
        return new(ticks[0], ticks[^1], ticks, decimals, false, format);
    }

    /// <summary>The logarithmic axis that holds the positive ones of <paramref name="values"/>.</summary>
    public static AxisScale Logarithmic(
        IEnumerable<double> values, int intervals, AxisFormat format = AxisFormat.Number)
    {
        var positive = values.Where(v => v > 0 && double.IsFinite(v)).DefaultIfEmpty(1).ToArray();
        double minimum = positive.Min(), maximum = positive.Max();
        int lowest = (int)Math.Floor(Math.Log10(minimum)), highest = (int)Math.Ceiling(Math.Log10(maximum));
        // 1, 2 and 5 in every decade while there is room for them.
        bool onlyPowersOfTen = Math.Log10(maximum / minimum) * 3 > intervals + 2;
        int stride = 1 + ((highest - lowest) / (intervals + 3));
        var ticks = new List<double>();
        for (int exponent = lowest; exponent <= highest + stride; exponent += stride)
        {
            foreach (double factor in onlyPowersOfTen ? s_steps.AsSpan(0, 1) : s_steps.AsSpan(0, 3))
                ticks.Add(PowerOfTen(factor, exponent));
        }
        int from = Math.Max(0, ticks.FindLastIndex(t => t <= minimum * (1 + 1e-9)));
        int to = ticks.FindIndex(t => t >= maximum * (1 - 1e-9));
        to = Math.Max(to, from + 1);
        return new(ticks[from], ticks[to], [.. ticks[from..(to + 1)]], 0, true, format);
    }

    /// <summary>Where a value lies, 0 at the axis' minimum and 1 at its maximum; NaN where it cannot be drawn.</summary>
    public double At(double value)
    {
        if (!double.IsFinite(value) || (_isLogarithmic && value <= 0))
            return double.NaN;
        return _isLogarithmic
            ? Math.Log(value / Minimum) / Math.Log(Maximum / Minimum)
            : (value - Minimum) / (Maximum - Minimum);
    }

    /// <summary>The text at a tick.</summary>
    public string Label(double tick)
    {
        if (_format == AxisFormat.Percent)
            return (tick * 100).ToString("F" + Math.Max(0, _decimals - 2), CultureInfo.InvariantCulture) + " %";
        double magnitude = Math.Abs(tick);
        if (magnitude != 0 && magnitude is < 1e-4 or >= 1e6)
            return tick.ToString("0.##e0", CultureInfo.InvariantCulture);
        return _isLogarithmic
            ? tick.ToString("0.####", CultureInfo.InvariantCulture)
            : tick.ToString("F" + _decimals, CultureInfo.InvariantCulture);
    }

    private static (double Minimum, double Maximum) Widened(IEnumerable<double> values, AxisFormat format)
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        double minimum = finite.Min(), maximum = finite.Max();
        if (maximum - minimum > 1e-9 * Math.Max(Math.Abs(minimum), Math.Abs(maximum)))
            return (minimum, maximum);
        // One value, or many equal ones: an interval around it, which for a share must not leave 0..1.
        if (format == AxisFormat.Percent)
            return (Math.Max(0, minimum - 0.1), Math.Min(1, minimum + 0.1));
        double margin = minimum == 0 ? 0.5 : Math.Abs(minimum) / 2;
        return (minimum - margin, maximum + margin);
    }

    private static (double Step, int Decimals) NiceStep(double atLeast)
    {
        int exponent = (int)Math.Floor(Math.Log10(atLeast));
        double mantissa = atLeast / Math.Pow(10, exponent);
        double factor = s_steps.First(s => s >= mantissa - 1e-9);
        if (factor == 10)
            (factor, exponent) = (1, exponent + 1);
        return (PowerOfTen(factor, exponent), Math.Clamp(-exponent, 0, 15));
    }

    private static double[] TicksWithin(double minimum, double maximum, double step, int decimals)
    {
        var ticks = new List<double>();
        double first = Math.Ceiling(minimum / step - 1e-9), last = Math.Floor(maximum / step + 1e-9);
        for (int i = 0; i <= last - first; i++)
            ticks.Add(Math.Round((first + i) * step, decimals) + 0.0);
        return [.. ticks];
    }

    // Dividing by a power of ten is exact to the last digit where multiplying by 0.1, 0.01, ... is not.
    private static double PowerOfTen(double factor, int exponent) =>
        exponent < 0 ? factor / Math.Pow(10, -exponent) : factor * Math.Pow(10, exponent);
}
