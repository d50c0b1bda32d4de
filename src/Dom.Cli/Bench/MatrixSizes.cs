using System.Globalization;
using Dom.Train.Training;

namespace Dom.Cli.Bench;

/// <summary>Sizes of a product c [M, N] = a [M, K] b [K, N].</summary>
internal readonly record struct MatrixSizes(int M, int N, int K)
{
    private const int Most = 32768;

    /// <summary>What a person typed: "4096" or "4096x1024x512".</summary>
    /// <exception cref="OptionException">It is neither one number nor three, or one is out of range.</exception>
    public static MatrixSizes Parse(string option, string text)
    {
        int[] sizes = [.. text.Split('x', 'X').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : 0)];
        return sizes.Length is 1 or 3 && Array.TrueForAll(sizes, size => size is >= 1 and <= Most)
            ? new MatrixSizes(sizes[0], sizes[sizes.Length / 2], sizes[^1])
            : throw new OptionException($"{option} is '{text}'; it must be one whole number from 1 to {Most}, or three with x between them, such as 4096x1024x512.");
    }

    /// <summary>"c [M, N] = a [M, K] b [K, N]", in numbers.</summary>
    public override string ToString() => $"c [{M}, {N}] = a [{M}, {K}] b [{K}, {N}]";
}
