using System.Globalization;

namespace Dom.Train.Memorization;

/// <summary>Writes a ledger as a table: one line a sample and epoch.</summary>
public static class LedgerCsv
{
    /// <summary>
    /// Writes <c>epoch,sample,given_label,true_label,natural_loss,...</c> and the lines under it; the label columns appear
    /// where the ledger has them. Floats have the fewest digits that read back as the same f32, whatever the culture.
    /// </summary>
    /// <param name="ledger">What to export.</param>
    /// <param name="writer">Gets the text; lines end in a line feed.</param>
    /// <param name="firstEpoch">First epoch, from 0 as in the ledger.</param>
    /// <param name="endEpoch">The epoch after the last one; null for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the ledger's epochs.</exception>
    /// <exception cref="Dom.Nn.StateDictionaries.CheckpointException">A file cannot be read.</exception>
    public static void Export(LedgerStore ledger, TextWriter writer, int firstEpoch = 0, int? endEpoch = null)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(writer);
        int end = endEpoch ?? ledger.Epochs;
        ArgumentOutOfRangeException.ThrowIfNegative(firstEpoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, ledger.Epochs, nameof(endEpoch));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstEpoch, end);

        string[] labelNames = [.. new[] { LedgerColumns.GivenLabel, LedgerColumns.TrueLabel }.Where(ledger.Has)];
        var labels = labelNames.Select(ledger.ReadStaticInts).ToArray();
        writer.Write(string.Join(',', ["epoch", "sample", .. labelNames, .. ledger.Columns]));
        writer.Write('\n');
        for (int epoch = firstEpoch; epoch < end; epoch++)
        {
            var rows = ledger.Columns.Select(column => ledger.ReadRow(column, epoch)).ToArray();
            for (int sample = 0; sample < ledger.Samples; sample++)
            {
                Write(writer, epoch);
                WriteNext(writer, sample);
                foreach (var column in labels)
                    WriteNext(writer, column[sample]);
                foreach (var row in rows)
                    WriteNext(writer, row[sample]);
                writer.Write('\n');
            }
        }
    }

    private static void WriteNext<T>(TextWriter writer, T value) where T : ISpanFormattable
    {
        writer.Write(',');
        Write(writer, value);
    }

    // A long run has tens of millions of numbers: no string for each.
    private static void Write<T>(TextWriter writer, T value) where T : ISpanFormattable
    {
        Span<char> digits = stackalloc char[32];
        value.TryFormat(digits, out int length, default, CultureInfo.InvariantCulture);
        writer.Write(digits[..length]);
    }
}
