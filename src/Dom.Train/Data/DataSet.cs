using System.Security.Cryptography;

namespace Dom.Train.Data;

/// <summary>A labelled set of images of one size: <c>Pixels</c> is [N, H, W, C] of bytes, row n is sample id n.</summary>
/// <param name="Pixels">N x Height x Width x Channels bytes, 0..255, channels innermost (RGB or gray).</param>
/// <param name="Labels">The N labels that training sees, 0 .. classes - 1.</param>
/// <param name="Height">Rows of an image.</param>
/// <param name="Width">Columns of an image.</param>
/// <param name="Channels">1 (gray) or 3 (RGB).</param>
public sealed record ImageSplit(byte[] Pixels, int[] Labels, int Height, int Width, int Channels)
{
    /// <summary>The labels before any were made wrong on purpose; equal to <see cref="Labels"/> where none were.</summary>
    public int[] TrueLabels { get; init; } = Labels;

    /// <summary>Number of samples.</summary>
    public int Count => Labels.Length;

    /// <summary>Bytes of one image.</summary>
    public int ImageSize => Height * Width * Channels;

    /// <summary>The bytes of image <paramref name="sample"/>, [H, W, C].</summary>
    public ReadOnlySpan<byte> Image(int sample) => Pixels.AsSpan(sample * ImageSize, ImageSize);

    /// <summary>Whether the label of <paramref name="sample"/> was made wrong on purpose.</summary>
    public bool HasWrongLabel(int sample) => Labels[sample] != TrueLabels[sample];

    /// <summary>The samples at <paramref name="rows"/>, in that order; their new ids are 0 .. rows - 1.</summary>
    public ImageSplit Select(ReadOnlySpan<int> rows)
    {
        var pixels = new byte[(long)rows.Length * ImageSize];
        var labels = new int[rows.Length];
        var trueLabels = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            Image(rows[i]).CopyTo(pixels.AsSpan(i * ImageSize));
            labels[i] = Labels[rows[i]];
            trueLabels[i] = TrueLabels[rows[i]];
        }
        return this with { Pixels = pixels, Labels = labels, TrueLabels = trueLabels };
    }
}

/// <summary>A training and a test split with the names of their classes.</summary>
/// <param name="Name">What a person calls it: "cifar10", "mnist", "embedded", or the folder's name.</param>
/// <param name="Train">Samples to train on.</param>
/// <param name="Test">Samples to test on, of the same size and classes.</param>
/// <param name="ClassNames">One name a class, in the order of the labels.</param>
public sealed record DataSet(string Name, ImageSplit Train, ImageSplit Test, IReadOnlyList<string> ClassNames)
{
    /// <summary>SHA-256 over sizes, pixels and labels of both splits, in hexadecimal: two runs with the same value saw the same data.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var split in new[] { Train, Test })
        {
            ReadOnlySpan<int> sizes = [split.Count, split.Height, split.Width, split.Channels];
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(sizes));
            hash.AppendData(split.Pixels);
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(split.Labels));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>A data file or folder cannot be used; the message says which, what was expected, what came, and what to do.</summary>
public sealed class DataException : Exception
{
    /// <summary>An error with a message for the user.</summary>
    public DataException(string message) : base(message) { }

    /// <summary>An error with a message for the user and its cause.</summary>
    public DataException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public DataException() { }
}
