using System.Globalization;
using System.Text;

namespace Dom.Train.Reproduction;

/// <summary>A number that the paper prints.</summary>
/// <param name="Mean">Mean over three seeds, in percent (table 13: seconds).</param>
/// <param name="Deviation">Standard deviation, where one is printed. Which of the two definitions it follows is not stated.</param>
public readonly record struct PublishedValue(double Mean, double? Deviation)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Mean:0.00}{(Deviation is { } d ? $" +- {d:0.00}" : "")}");
}

/// <summary>The result tables of the DOM paper (Lin et al., ICLR 2024) as it prints them, slips included; they lie in <c>published.csv</c>.</summary>
/// <remarks>
/// Known slips: in tables 9 and 11 the printed difference of four rows is not best minus last (-0.45, -0.20 and -0.02 should be -0.43, -0.15 and -0.04), and
/// table 12 has 21.59 where table 2 has 21.61.
/// </remarks>
public static class PublishedValues
{
    private static readonly Lazy<Dictionary<(int, string), PublishedValue[]>> s_values = new(Read);

    /// <summary>All rows, those of tables that cannot be reproduced here (10) included.</summary>
    public static IEnumerable<(int Table, string Cell)> Cells => s_values.Value.Keys;

    /// <summary>The numbers of a row, in the order of the table's columns.</summary>
    /// <exception cref="ArgumentException">There is no such row.</exception>
    public static IReadOnlyList<PublishedValue> Of(int table, string cell) => s_values.Value.TryGetValue((table, cell), out var values)
        ? values
        : throw new ArgumentException($"The paper has no row '{cell}' in table {table}.", nameof(cell));

    private static Dictionary<(int, string), PublishedValue[]> Read()
    {
        using var stream = typeof(PublishedValues).Assembly.GetManifestResourceStream("published.csv")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var rows = new Dictionary<(int, string), PublishedValue[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] parts = line.Split(',');
            rows.Add((int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]), Array.ConvertAll(parts[2..], Parse));
        }
        return rows;
    }

    private static PublishedValue Parse(string text)
    {
        string[] parts = text.Split("+-");
        return new PublishedValue(Number(parts[0]), parts.Length > 1 ? Number(parts[1]) : null);

        static double Number(string part) => double.Parse(part, NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
