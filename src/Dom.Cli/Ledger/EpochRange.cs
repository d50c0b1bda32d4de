using System.Globalization;
using Dom.Train.Training;

namespace Dom.Cli.Ledger;

/// <summary>Epochs as a person writes them: counted from 1, both ends included.</summary>
/// <param name="First">First epoch, from 0 as in the ledger.</param>
/// <param name="End">The epoch after the last one, from 0.</param>
internal readonly record struct EpochRange(int First, int End)
{
    /// <summary>Reads <c>A..B</c>, <c>A..</c>, <c>..B</c> or <c>A</c>.</summary>
    /// <param name="text">What was written; null for all epochs.</param>
    /// <param name="epochs">Epochs that there are.</param>
    /// <exception cref="OptionException">It is none of these, or reaches beyond the epochs.</exception>
    public static EpochRange Parse(string? text, int epochs)
    {
        if (text is null)
            return new EpochRange(0, epochs);
        int dots = text.IndexOf("..", StringComparison.Ordinal);
        string first = dots < 0 ? text : text[..dots], last = dots < 0 ? text : text[(dots + 2)..];
        int from = 1, to = epochs;
        bool isRead = text != ".." && (first.Length == 0 || TryRead(first, out from)) && (last.Length == 0 || TryRead(last, out to));
        if (!isRead || from < 1 || to > epochs || from > to)
            throw new OptionException($"--epochs is '{text}'; it must be A..B, A.., ..B or A with epochs from 1 to {epochs}, which is what the ledger has.");
        return new EpochRange(from - 1, to);
    }

    private static bool TryRead(string text, out int epoch) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out epoch);
}
