using System.Runtime.InteropServices;
using Dom.Nn.StateDictionaries;

namespace Dom.Train.Memorization;

/// <summary>The ledger on disk: what every sample's loss, margin, prediction and so on was, epoch by epoch.</summary>
/// <remarks>
/// A folder with one <c>.npy</c> file a column, f32 [epochs, samples], and static columns [samples]; column n is sample
/// id n. Python reads one with <c>np.load("ledger/natural_loss.npy")</c>, also while the run goes on or after it was killed: a row's
/// bytes are written first and the row count in the header after them. Epochs count from 0 here, as rows do in numpy.
/// No file is held open between calls. One process may write at a time; the bytes depend on the values alone.
/// </remarks>
public sealed class LedgerStore
{
    private readonly Dictionary<string, LedgerFile> _columns;
    private readonly Dictionary<string, LedgerFile> _statics;

    private LedgerStore(string folder, IEnumerable<LedgerFile> columns, IEnumerable<LedgerFile> statics)
    {
        Folder = folder;
        _columns = columns.ToDictionary(NameOf, StringComparer.Ordinal);
        _statics = statics.ToDictionary(NameOf, StringComparer.Ordinal);
        Columns = [.. LedgerColumns.InOrder(_columns.Keys)];
        Samples = _columns[Columns[0]].Samples;
        Epochs = _columns[Columns[0]].Epochs!.Value;
    }

    /// <summary>The folder that holds the files.</summary>
    public string Folder { get; }

    /// <summary>Samples in a row.</summary>
    public int Samples { get; }

    /// <summary>Epochs written so far: rows of every column.</summary>
    public int Epochs { get; private set; }

    /// <summary>Names of the columns: those of <see cref="LedgerColumns"/> in that order, then others by name.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Makes an empty ledger.</summary>
    /// <param name="folder">Its folder; made where there is none.</param>
    /// <param name="samples">Samples in a row, at least 1.</param>
    /// <param name="columns">Names of the columns: small letters, digits and underscores.</param>
    /// <param name="overwrite">Whether a ledger that is already there is deleted first.</param>
    /// <exception cref="ArgumentException">No columns, a repeated or unusable name, or no samples.</exception>
    /// <exception cref="CheckpointException">The folder already holds a ledger and is not to be overwritten.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static LedgerStore Create(string folder, int samples, IReadOnlyList<string> columns, bool overwrite = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0 || columns.Distinct(StringComparer.Ordinal).Count() != columns.Count)
            throw new ArgumentException($"ledger: needs at least one column and each once, got [{string.Join(", ", columns)}].", nameof(columns));
        var files = columns.Select(name => new LedgerFile(FileOf(folder, name), LedgerFile.Float32, 0, samples)).ToArray();
        return Writing(folder, "was not made", () =>
        {
            Directory.CreateDirectory(folder);
            var present = Directory.GetFiles(folder, "*.npy");
            if (present.Length > 0 && !overwrite)
                throw new CheckpointException($"{folder}: already holds a ledger ({present.Length} files). Resume that run, or choose another folder.");
            foreach (string path in present)
                File.Delete(path);
            foreach (var file in files)
                AtomicFile.Write(file.Path, stream => stream.Write(file.EncodeHeader()));
            return new LedgerStore(folder, files, []);
        });
    }

    /// <summary>Opens a ledger to read it or to go on writing.</summary>
    /// <exception cref="CheckpointException">There is no ledger, a file is torn, or the columns do not have the same number of samples and epochs.</exception>
    public static LedgerStore Open(string folder)
    {
        var (columns, statics) = ReadFiles(folder);
        if (columns.Select(file => file.Epochs).Distinct().Count() > 1)
        {
            string counts = string.Join(", ", columns.Select(file => $"{NameOf(file)} {file.Epochs}"));
            throw new CheckpointException($"{folder}: the columns hold different numbers of epochs ({counts}); a run was stopped while it wrote, or is writing now. Resume it to repair the ledger.");
        }
        return new LedgerStore(folder, columns, statics);
    }

    /// <summary>Opens a ledger for a run that resumes after <paramref name="epochs"/> epochs: whatever was written later is cut off, and columns that disagreed agree again.</summary>
    /// <exception cref="CheckpointException">There is no ledger, a file is torn, or a column has fewer epochs than that.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static LedgerStore OpenTruncated(string folder, int epochs)
    {
        var (columns, statics) = ReadFiles(folder);
        var store = new LedgerStore(folder, columns, statics);
        store.TruncateTo(epochs);
        return store;
    }

    /// <summary>Cuts every column to its first <paramref name="epochs"/> rows, and off what an interrupted write left behind them.</summary>
    /// <exception cref="CheckpointException">A column has fewer epochs than that.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void TruncateTo(int epochs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epochs);
        foreach (var file in _columns.Values)
        {
            if (file.Epochs < epochs)
                throw new CheckpointException($"{file.Path}: holds {file.Epochs} epochs, the checkpoint was saved after {epochs}. Resume from an earlier checkpoint, or start the run again.");
        }
        Writing(Folder, "was not cut", () =>
        {
            foreach (string name in Columns)
                _columns[name] = _columns[name].WithEpochs(epochs, cuts: true);
            return Epochs = epochs;
        });
    }

    /// <summary>Adds one epoch.</summary>
    /// <param name="rows">For every column its values, [samples], by sample id.</param>
    /// <exception cref="ArgumentException">A column is missing, unknown, or of another length.</exception>
    /// <exception cref="IOException">A file cannot be written; the epochs before it stay readable, and the call can be repeated.</exception>
    public void Append(IReadOnlyDictionary<string, float[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count != Columns.Count || !Columns.All(rows.ContainsKey))
            throw new ArgumentException($"ledger: columns are [{string.Join(", ", Columns)}], got [{string.Join(", ", rows.Keys)}].", nameof(rows));
        foreach (var (name, row) in rows)
        {
            if (row.Length != Samples)
                throw new ArgumentException($"ledger: column {name} takes {Samples} samples, got {row.Length}.", nameof(rows));
        }
        Writing(Folder, $"still holds {Epochs} epochs", () =>
        {
            foreach (string name in Columns)
                _columns[name].WriteRowBehind(rows[name]);
            var headers = Columns.Select(name => _columns[name].WithEpochs(Epochs + 1, cuts: false)).ToArray();
            foreach (var file in headers)
                _columns[NameOf(file)] = file;
            return Epochs++;
        });
    }

    /// <summary>One epoch of a column, [samples].</summary>
    /// <exception cref="CheckpointException">The ledger has no such column, or the file cannot be read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such epoch.</exception>
    public float[] ReadRow(string column, int epoch)
    {
        var file = Find(_columns, column);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(epoch, Epochs);
        return Reading<float>(file, epoch);
    }

    /// <summary>All epochs of a column: one row [samples] an epoch.</summary>
    /// <exception cref="CheckpointException">The ledger has no such column, or the file cannot be read.</exception>
    public float[][] ReadColumn(string column) => [.. Enumerable.Range(0, Epochs).Select(epoch => ReadRow(column, epoch))];

    /// <summary>Whether there is a column of this name, per epoch or static.</summary>
    public bool Has(string column) => _columns.ContainsKey(column) || _statics.ContainsKey(column);

    /// <summary>Writes, once, what does not change from epoch to epoch, such as labels: i32 [samples].</summary>
    /// <exception cref="ArgumentException">The number of values is not the number of samples, or the name is a column's.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void WriteStatic(string name, int[] values) => WriteStatic<int>(name, LedgerFile.Int32, values);

    /// <summary>Writes, once, what does not change from epoch to epoch: f32 [samples].</summary>
    /// <exception cref="ArgumentException">The number of values is not the number of samples, or the name is a column's.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void WriteStatic(string name, float[] values) => WriteStatic<float>(name, LedgerFile.Float32, values);

    /// <summary>A static i32 column, [samples].</summary>
    /// <exception cref="CheckpointException">There is no such column, it is not i32, or the file cannot be read.</exception>
    public int[] ReadStaticInts(string name) => ReadStatic<int>(name, LedgerFile.Int32);

    /// <summary>A static f32 column, [samples].</summary>
    /// <exception cref="CheckpointException">There is no such column, it is not f32, or the file cannot be read.</exception>
    public float[] ReadStaticFloats(string name) => ReadStatic<float>(name, LedgerFile.Float32);

    private void WriteStatic<T>(string name, string type, T[] values) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != Samples || _columns.ContainsKey(name))
            throw new ArgumentException($"ledger: static column {name} takes {Samples} values and a name of its own, got {values.Length}.", nameof(values));
        var file = new LedgerFile(FileOf(Folder, name), type, null, Samples);
        AtomicFile.Write(file.Path, stream =>
        {
            stream.Write(file.EncodeHeader());
            stream.Write(MemoryMarshal.AsBytes<T>(values));
        });
        _statics[name] = file;
    }

    private T[] ReadStatic<T>(string name, string type) where T : unmanaged
    {
        var file = Find(_statics, name);
        return file.Type == type ? Reading<T>(file, 0)
            : throw new CheckpointException($"{file.Path}: holds {file.Type}, {type} was asked for.");
    }

    private LedgerFile Find(Dictionary<string, LedgerFile> files, string name) => files.TryGetValue(name, out var file) ? file
        : throw new CheckpointException($"{Folder}: has no column {name}; there are {string.Join(", ", Columns.Concat(_statics.Keys.Order(StringComparer.Ordinal)))}.");

    private T[] Reading<T>(LedgerFile file, int row) where T : unmanaged
    {
        var values = new T[Samples];
        try
        {
            file.ReadRow<T>(row, values);
            return values;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{file.Path}: row {row} cannot be read ({e.Message.TrimEnd('.')}). Check the ledger's folder.", e);
        }
    }

    private static T Writing<T>(string folder, string state, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{folder}: the ledger cannot be written: {DiskError.Describe(e)}. It {state}.", e) { HResult = e.HResult };
        }
    }

    private static (LedgerFile[] Columns, LedgerFile[] Statics) ReadFiles(string folder)
    {
        string[] paths = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.npy") : [];
        var files = paths.Order(StringComparer.Ordinal).Select(LedgerFile.Read).ToArray();
        var columns = files.Where(file => file.Epochs is not null).ToArray();
        if (columns.Length == 0)
            throw new CheckpointException($"{folder}: holds no ledger; expected a folder with natural_loss.npy and the other columns. Name the folder ledger/ of a run.");
        foreach (var file in files)
        {
            if (file.Samples != columns[0].Samples || file.Samples == 0 || (file.Epochs is not null && file.Type != LedgerFile.Float32))
                throw new CheckpointException($"{file.Path}: holds {file.Samples} samples of {file.Type}, {NameOf(columns[0])} holds {columns[0].Samples}; these files are not of one run. Restore the ledger's folder.");
        }
        return (columns, files.Where(file => file.Epochs is null).ToArray());
    }

    private static string NameOf(LedgerFile file) => Path.GetFileNameWithoutExtension(file.Path);

    private static string FileOf(string folder, string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? Path.Combine(folder, name + ".npy")
            : throw new ArgumentException($"ledger: \"{name}\" is no column name; small letters, digits and underscores are.", nameof(name));
}
