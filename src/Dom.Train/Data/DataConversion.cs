namespace Dom.Train.Data;

/// <summary>Writes a data set in a layout that other programs read.</summary>
public static class DataConversion
{
    /// <summary>
    /// Writes x_train.npy, y_train.npy, x_test.npy, y_test.npy (uint8 [N, H, W, C] and int32 [N]) and class_names.txt,
    /// which <see cref="NpyPairs.Load"/> reads back; and y_train_true.npy where labels were made wrong.
    /// </summary>
    /// <exception cref="DataException">A file cannot be written.</exception>
    public static void ToNpy(DataSet set, string folder)
    {
        ArgumentNullException.ThrowIfNull(set);
        DataFile.CreateFolder(folder);
        foreach (var (split, part) in new[] { (set.Train, "train"), (set.Test, "test") })
        {
            string truePath = Path.Combine(folder, $"y_{part}_true.npy");
            Npy.Write(Path.Combine(folder, $"x_{part}.npy"), split.Pixels, split.Count, split.Height, split.Width, split.Channels);
            Npy.Write(Path.Combine(folder, $"y_{part}.npy"), split.Labels, split.Count);
            // The true labels of an earlier conversion must not stay beside these.
            File.Delete(truePath);
            if (LabelNoise.EffectiveShare(split) > 0)
                Npy.Write(truePath, split.TrueLabels, split.Count);
        }
        DataFile.WriteNames(Path.Combine(folder, NpyPairs.NamesFile), set.ClassNames);
    }

    /// <summary>
    /// Writes a set of 32 x 32 RGB images with at most 256 classes in the layout of CIFAR-10: five training files, one
    /// test file and batches.meta.txt, which <see cref="Cifar10.Load"/> reads back. The labels written are those that
    /// training sees.
    /// </summary>
    /// <exception cref="DataException">The images are of another size, there are too many classes or fewer than five
    /// training samples, or a file cannot be written.</exception>
    public static void ToCifarBinary(DataSet set, string folder)
    {
        ArgumentNullException.ThrowIfNull(set);
        var train = set.Train;
        if ((train.Height, train.Width, train.Channels) != (CifarRecords.Side, CifarRecords.Side, 3))
            throw new DataException($"{set.Name}: images are {train.Height} x {train.Width} x {train.Channels}; "
                + "CIFAR files hold 32 x 32 x 3. Convert to .npy instead.");
        if (set.ClassNames.Count > 256)
            throw new DataException($"{set.Name}: {set.ClassNames.Count} classes; a CIFAR label is one byte, 256 at most. "
                + "Convert to .npy instead.");
        if (train.Count < Cifar10.BatchCount)
            throw new DataException($"{set.Name}: {train.Count} training samples; "
                + $"{Cifar10.BatchCount} files need at least one each. Convert to .npy instead.");
        DataFile.CreateFolder(folder);
        for (int batch = 0; batch < Cifar10.BatchCount; batch++)
        {
            int first = (int)((long)train.Count * batch / Cifar10.BatchCount), end = (int)((long)train.Count * (batch + 1) / Cifar10.BatchCount);
            DataFile.Write(Path.Combine(folder, Cifar10.BatchFile(batch + 1)), stream => CifarRecords.Write(stream, train, first, end));
        }
        DataFile.Write(Path.Combine(folder, Cifar10.TestFile), stream => CifarRecords.Write(stream, set.Test, 0, set.Test.Count));
        DataFile.WriteNames(Path.Combine(folder, Cifar10.NamesFile), set.ClassNames);
    }
}
