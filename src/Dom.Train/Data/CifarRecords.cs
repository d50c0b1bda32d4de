namespace Dom.Train.Data;

/// <summary>The record format of the CIFAR binary files: label bytes, then the red, green and blue planes of a 32 x 32
/// image.</summary>
internal static class CifarRecords
{
    public const int Side = 32;
    public const int Plane = Side * Side;
    public const int ImageSize = 3 * Plane;

    /// <summary>Reads files one after the other into one split.</summary>
    /// <param name="files">Paths and the number of records that the official file has.</param>
    /// <param name="labelRanges">Number of classes that each label byte may name; the last one is the label that is
    /// used.</param>
    /// <param name="redo">What to do about a bad file, for messages.</param>
    public static ImageSplit Read(IReadOnlyList<(string Path, int OfficialRecords)> files, IReadOnlyList<int> labelRanges, string redo)
    {
        int recordSize = labelRanges.Count + ImageSize;
        var contents = files.Select(file => DataFile.ReadRaw(file.Path, "CIFAR binary records")).ToArray();
        // A set that this program converted may be of any size; beside one file of the official size, all must be official.
        bool official = files.Zip(contents).Any(pair => pair.Second.Length == (long)pair.First.OfficialRecords * recordSize);
        for (int i = 0; i < contents.Length; i++)
        {
            long expected = (long)files[i].OfficialRecords * recordSize;
            if (contents[i].Length % recordSize != 0 || (official && contents[i].Length != expected))
                throw new DataException($"{files[i].Path}: {DataFile.Compare(expected, contents[i].Length)}; "
                    + $"it holds {files[i].OfficialRecords:N0} records of {recordSize:N0} bytes. {redo}");
        }
        int count = contents.Sum(content => content.Length / recordSize);
        var pixels = new byte[(long)count * ImageSize];
        var labels = new int[count];
        int sample = 0;
        for (int i = 0; i < contents.Length; i++)
        {
            for (int record = 0; record < contents[i].Length / recordSize; record++, sample++)
            {
                var bytes = contents[i].AsSpan(record * recordSize, recordSize);
                for (int k = 0; k < labelRanges.Count; k++)
                {
                    if (bytes[k] >= labelRanges[k])
                        throw new DataException($"{files[i].Path}: record {record:N0} has the label {bytes[k]}; "
                            + $"labels are 0..{labelRanges[k] - 1}. {redo}");
                }
                labels[sample] = bytes[labelRanges.Count - 1];
                ToInterleaved(bytes[labelRanges.Count..], pixels.AsSpan(sample * ImageSize, ImageSize));
            }
        }
        return new ImageSplit(pixels, labels, Side, Side, 3);
    }

    /// <summary>Writes the rows <paramref name="first"/> .. <paramref name="end"/> - 1 with one label byte each.</summary>
    public static void Write(Stream stream, ImageSplit split, int first, int end)
    {
        var record = new byte[1 + ImageSize];
        for (int row = first; row < end; row++)
        {
            record[0] = (byte)split.Labels[row];
            var image = split.Image(row);
            for (int i = 0; i < Plane; i++)
                for (int c = 0; c < 3; c++)
                    record[1 + c * Plane + i] = image[3 * i + c];
            stream.Write(record);
        }
    }

    /// <summary>The folder itself, or the folder of the given name inside it, whichever holds the probe file.</summary>
    public static string? Find(string folder, string inner, string probe) =>
        new[] { folder, Path.Combine(folder, inner) }.FirstOrDefault(candidate => File.Exists(Path.Combine(candidate, probe)));

    private static void ToInterleaved(ReadOnlySpan<byte> planes, Span<byte> image)
    {
        for (int i = 0; i < Plane; i++)
        {
            image[3 * i] = planes[i];
            image[3 * i + 1] = planes[Plane + i];
            image[3 * i + 2] = planes[2 * Plane + i];
        }
    }
}
