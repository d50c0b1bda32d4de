namespace Dom.Train.Data.Images;

/// <summary>Undoes the five row filters of PNG: each byte was stored as its difference from a prediction.</summary>
internal static class PngFilter
{
    /// <summary>Rebuilds <paramref name="row"/> in place from the row above it (all zero above the first).</summary>
    /// <param name="filter">The filter byte before the row, 0..4.</param>
    /// <param name="row">The stored bytes, which become the row's bytes.</param>
    /// <param name="above">The rebuilt row above, as long as <paramref name="row"/>.</param>
    /// <param name="distance">Bytes from a byte to its left neighbor, 1..8.</param>
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (int i = distance; i < row.Length; i++)
                    row[i] += row[i - distance];
                break;
            case 2:
                for (int i = 0; i < row.Length; i++)
                    row[i] += above[i];
                break;
            case 3:
                for (int i = 0; i < row.Length; i++)
                    row[i] += (byte)(((i < distance ? 0 : row[i - distance]) + above[i]) / 2);
                break;
            case 4:
                for (int i = 0; i < row.Length; i++)
                    row[i] += i < distance ? above[i] : Paeth(row[i - distance], above[i], above[i - distance]);
                break;
            default:
                throw new InvalidDataException($"a row names filter {filter}; PNG defines 0 to 4");
        }
    }

    // The neighbor nearest to left + above - aboveLeft; ties go to the left, then to the one above.
    private static byte Paeth(byte left, byte above, byte aboveLeft)
    {
        int toLeft = Math.Abs(above - aboveLeft);
        int toAbove = Math.Abs(left - aboveLeft);
        int toAboveLeft = Math.Abs(left + above - 2 * aboveLeft);
        if (toLeft <= toAbove && toLeft <= toAboveLeft)
            return left;
        return toAbove <= toAboveLeft ? above : aboveLeft;
    }
}
