using Dom.Nn.StateDictionaries;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Memorization;

public class LedgerStoreTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Path.Combine(Directory.CreateTempSubdirectory("dom-ledger-").FullName, "ledger");

    [TearDown]
    public void RemoveFolder() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    private static Dictionary<string, float[]> Rows(int epoch, int samples = 3) => LedgerColumns.Natural
        .Select((name, c) => (name, row: Enumerable.Range(0, samples).Select(i => (100 * epoch) + (10 * c) + i + 0.5f).ToArray()))
        .ToDictionary(pair => pair.name, pair => pair.row);

    private LedgerStore Filled(int epochs)
    {
        var store = LedgerStore.Create(_folder, 3, LedgerColumns.Natural);
        for (int epoch = 0; epoch < epochs; epoch++)
            store.Append(Rows(epoch));
        return store;
    }

    private string PathOf(string column) => Path.Combine(_folder, column + ".npy");

    private Dictionary<string, byte[]> AllBytes() => Directory.GetFiles(_folder).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);

    [Test]
    public void Rows_are_read_back_by_column_and_epoch()
    {
        Filled(3).WriteStatic(LedgerColumns.GivenLabel, [7, 0, -1]);
        var store = LedgerStore.Open(_folder);
        Assert.That((store.Samples, store.Epochs), Is.EqualTo((3, 3)));
        Assert.That(store.Columns, Is.EqualTo(LedgerColumns.Natural));
        foreach (string name in store.Columns)
        {
            Assert.That(store.ReadRow(name, 1), Is.EqualTo(Rows(1)[name]));
            Assert.That(store.ReadColumn(name), Is.EqualTo(new[] { Rows(0)[name], Rows(1)[name], Rows(2)[name] }));
        }
        Assert.That(store.ReadStaticInts(LedgerColumns.GivenLabel), Is.EqualTo(new[] { 7, 0, -1 }));
        Assert.That(store.Has(LedgerColumns.TrueLabel), Is.False);
    }

    [Test]
    public void A_file_is_a_128_byte_npy_header_and_the_rows()
    {
        Filled(2);
        var bytes = File.ReadAllBytes(PathOf(LedgerColumns.NaturalLoss));
        string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".PadRight(117) + "\n";
        byte[] expected = [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes(dictionary)];
        Assert.That(bytes[..128], Is.EqualTo(expected));
        Assert.That(bytes, Has.Length.EqualTo(128 + (2 * 3 * 4)));
        Assert.That(BitConverter.ToSingle(bytes, 128 + (4 * 4)), Is.EqualTo(101.5f));
    }

    [Test]
    public void Going_on_after_opening_gives_the_same_bytes_as_one_go()
    {
        Filled(3);
        var expected = AllBytes();
        LedgerStore.Create(_folder, 3, LedgerColumns.Natural, overwrite: true).Append(Rows(0));
        LedgerStore.Open(_folder).Append(Rows(1));
        LedgerStore.Open(_folder).Append(Rows(2));
        Assert.That(AllBytes(), Is.EqualTo(expected));
    }

    [Test]
    public void Cutting_and_writing_again_gives_the_same_bytes_as_if_nothing_had_happened()
    {
        Filled(2);
        var expected = AllBytes();
        for (int epoch = 2; epoch < 5; epoch++)
            LedgerStore.Open(_folder).Append(Rows(7));
        var store = LedgerStore.Open(_folder);
        store.TruncateTo(1);
        store.Append(Rows(1));
        Assert.That(AllBytes(), Is.EqualTo(expected));
    }

    [Test]
    public void A_row_that_a_killed_run_left_half_written_is_not_seen_and_is_overwritten()
    {
        Filled(2);
        var expected = AllBytes();
        LedgerStore.Open(_folder).TruncateTo(1);
        using (var torn = new FileStream(PathOf(LedgerColumns.NaturalMargin), FileMode.Append))
            torn.Write([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        var store = LedgerStore.Open(_folder);
        Assert.That(store.Epochs, Is.EqualTo(1));
        Assert.That(store.ReadColumn(LedgerColumns.NaturalMargin), Is.EqualTo(new[] { Rows(0)[LedgerColumns.NaturalMargin] }));
        store.Append(Rows(1));
        Assert.That(AllBytes(), Is.EqualTo(expected));
    }

    [Test]
    public void Columns_with_different_counts_are_reported_and_a_resume_repairs_them()
    {
        Filled(2);
        var two = AllBytes();
        LedgerStore.Open(_folder).Append(Rows(2));
        // A run killed between two headers: one column still has the count of before, with the row behind it.
        using (var file = new FileStream(PathOf(LedgerColumns.NaturalLoss), FileMode.Open))
            file.Write(two["natural_loss.npy"], 0, 128);

        Assert.That(() => LedgerStore.Open(_folder), Throws.TypeOf<CheckpointException>()
            .With.Message.StartsWith(_folder).And.Message.Contains("natural_loss 2").And.Message.Contains("natural_margin 3").And.Message.Contains("Resume"));
        Assert.That(() => LedgerStore.OpenTruncated(_folder, 3), Throws.TypeOf<CheckpointException>().With.Message.Contains("holds 2 epochs, the checkpoint was saved after 3"));
        Assert.That(LedgerStore.OpenTruncated(_folder, 2).Epochs, Is.EqualTo(2));
        Assert.That(AllBytes(), Is.EqualTo(two));
    }

    [Test]
    public void Torn_and_foreign_files_are_named()
    {
        Filled(2);
        string path = PathOf(LedgerColumns.NaturalLoss);
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..^1]);
        Assert.That(() => LedgerStore.Open(_folder), Throws.TypeOf<CheckpointException>().With.Message.StartsWith(path).And.Message.Contains("cut short"));
        File.WriteAllBytes(path, whole[..50]);
        Assert.That(() => LedgerStore.Open(_folder), Throws.TypeOf<CheckpointException>().With.Message.Contains("128-byte header"));
        var other = (byte[])whole.Clone();
        "(1, 6)"u8.CopyTo(other.AsSpan(other.AsSpan().IndexOf("(2, 3)"u8)));
        File.WriteAllBytes(path, other);
        Assert.That(() => LedgerStore.Open(_folder), Throws.TypeOf<CheckpointException>().With.Message.Contains("not of one run"));
        Assert.That(() => LedgerStore.Open(Path.Combine(_folder, "absent")), Throws.TypeOf<CheckpointException>().With.Message.Contains("holds no ledger"));
    }

    [Test]
    public void A_header_with_any_damaged_byte_is_read_or_refused_and_never_anything_else()
    {
        Filled(1);
        string path = PathOf(LedgerColumns.NaturalLoss);
        var whole = File.ReadAllBytes(path);
        for (int i = 0; i < 128; i++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[i] = (byte)(whole[i] == '9' ? '8' : '9');
            File.WriteAllBytes(path, damaged);
            Assert.That(() => LedgerStore.Open(_folder), Throws.TypeOf<CheckpointException>(), $"byte {i}");
        }
    }

    [Test]
    public void A_ledger_is_not_overwritten_by_accident_and_wrong_rows_change_nothing()
    {
        var store = Filled(1);
        var before = AllBytes();
        Assert.That(() => LedgerStore.Create(_folder, 3, LedgerColumns.Natural), Throws.TypeOf<CheckpointException>().With.Message.Contains("already holds a ledger"));
        Assert.That(() => store.Append(Rows(1, samples: 4)), Throws.ArgumentException.With.Message.Contains("takes 3 samples, got 4"));
        var missing = Rows(1);
        missing.Remove(LedgerColumns.NaturalLoss);
        Assert.That(() => store.Append(missing), Throws.ArgumentException);
        Assert.That(() => store.WriteStatic("x", [1, 2]), Throws.ArgumentException);
        Assert.That(() => store.WriteStatic("../x", [1, 2, 3]), Throws.ArgumentException);
        Assert.That(() => store.ReadRow("x", 0), Throws.TypeOf<CheckpointException>().With.Message.Contains("has no column x"));
        Assert.That(() => store.ReadRow(LedgerColumns.NaturalLoss, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(AllBytes(), Is.EqualTo(before));
    }

    [Test]
    public void A_row_that_cannot_be_written_leaves_the_epochs_before_it_and_can_be_written_again()
    {
        var store = Filled(1);
        string path = PathOf(LedgerColumns.NaturalCorrect), aside = path + ".aside";
        File.Move(path, aside);
        Assert.That(() => store.Append(Rows(1)), Throws.TypeOf<IOException>().With.Message.Contains("still holds 1 epochs"));
        File.Move(aside, path);
        Assert.That(LedgerStore.Open(_folder).Epochs, Is.EqualTo(1));
        store.Append(Rows(1));
        Assert.That(LedgerStore.Open(_folder).ReadRow(LedgerColumns.NaturalCorrect, 1), Is.EqualTo(Rows(1)[LedgerColumns.NaturalCorrect]));
    }
}
