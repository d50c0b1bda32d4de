using System.Security.Cryptography;
using System.Text.Json;
using Dom.Cli.Data;
using Dom.Train.Data;
using Dom.Train.Data.Download;
using Dom.Train.Tests.Data;
using Dom.Train.Tests.Data.Download;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

public sealed class DataCommandTests
{
    private static readonly byte[] s_content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7 + i / 251))];
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false });

    [Test]
    public void The_info_of_the_embedded_set_counts_what_is_in_it()
    {
        var set = DataSets.Open("embedded");
        var run = Invocation.Run("data", "info", "embedded");
        var json = JsonDocument.Parse(Invocation.Run("data", "info", "embedded", "--json").Output).RootElement;
        double mean = set.Train.Pixels.Where((_, i) => i % 3 == 1).Average(v => v / 255.0);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(run.Lines[0], Is.EqualTo("name         embedded"));
            Assert.That(run.Output, Does.Contain("embedded: shapes drawn by the program").And.Contain($"{set.Train.Count:N0} training, {set.Test.Count:N0} test"));
            Assert.That(run.Output, Does.Contain("16 x 16 x 3 (RGB)").And.Contain(set.Hash()).And.Contain("no wrong training labels known"));
            Assert.That(run.Lines[^10..].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]), Is.EqualTo(set.ClassNames.Select(name => name.Split(' ')[0])));
            Assert.That(json.GetProperty("mean")[1].GetDouble(), Is.EqualTo(mean).Within(1e-6));
            Assert.That(json.GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("train").GetInt32()), Is.EqualTo(set.Train.Count));
            Assert.That(json.GetProperty("sha256").GetString(), Is.EqualTo(set.Hash()));
        });
    }

    [Test]
    public void Real_digits_are_measured_and_normalized_by_the_literature()
    {
        string shared = SharedData.FolderOrSkip();
        if (!Directory.Exists(Path.Combine(shared, "mnist")))
            Assert.Ignore($"there is no folder mnist in {shared}");
        var run = Invocation.Run("data", "info", "mnist-t10k", "--data-dir", shared);
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("8,000 training, 2,000 test").And.Contain("28 x 28 x 1 (gray)").And.Contain("by mean 0.1307, deviation 0.3081"));
    }

    [Test]
    public void Wrong_labels_are_kept_by_npy_and_shown_by_info()
    {
        using var folder = new ScratchFolder();
        var set = DataSets.Open("embedded", embedded: new EmbeddedOptions { TrainCount = 100, TestCount = 20 });
        var labels = set.Train.Labels.ToArray();
        for (int i = 0; i < 7; i++)
            labels[i] = (labels[i] + 1) % 10;
        DataConversion.ToNpy(set with { Train = set.Train with { Labels = labels, TrueLabels = set.Train.Labels } }, folder["noisy"]);
        var run = Invocation.Run("data", "info", folder["noisy"]);
        var json = JsonDocument.Parse(Invocation.Run("data", "info", folder["noisy"], "--json").Output).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(run.Output, Does.Contain("format       .npy pairs").And.Contain("7 of 100 training labels wrong on purpose (7.0 %)"), run.Error);
            Assert.That(json.GetProperty("wrongTrainLabels").GetInt32(), Is.EqualTo(7));
        });
    }

    [Test]
    public void A_set_goes_to_npy_and_from_there_to_cifar_files_and_stays_the_same()
    {
        using var folder = new ScratchFolder();
        var pixels = Enumerable.Range(0, 20 * 3072).Select(i => (byte)(i * 31 + i / 997)).ToArray();
        int[] labels = [.. Enumerable.Range(0, 20).Select(i => i % 10)];
        var split = new ImageSplit(pixels, labels, 32, 32, 3);
        DataConversion.ToNpy(new DataSet("pictures", split, split.Select([3, 4, 5]), [.. "abcdefghij".Select(c => $"{c}")]), folder["first"]);
        var cifar = Invocation.Run("data", "convert", folder["first"], folder["cifar"], "--to", "cifar-binary");
        var npy = Invocation.Run("data", "convert", folder["cifar"], folder["npy"], "--to", "npy");
        Assert.Multiple(() =>
        {
            Assert.That((cifar.Code, npy.Code), Is.EqualTo((0, 0)), cifar.Error + npy.Error);
            Assert.That(cifar.Output, Does.Contain("20 training and 3 test images of 10 classes"));
            Assert.That(Invocation.Run("data", "info", folder["cifar"]).Output, Does.Contain("CIFAR-10 binary files"));
            foreach (string file in new[] { "x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy", "class_names.txt" })
                Assert.That(File.ReadAllBytes(folder[$"npy/{file}"]), Is.EqualTo(File.ReadAllBytes(folder[$"first/{file}"])), file);
        });
    }

    [Test]
    public void A_conversion_overwrites_nothing()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder["taken"]);
        File.WriteAllText(folder["taken/thesis.txt"], "mine");
        var taken = Invocation.Run("data", "convert", "embedded", folder["taken"], "--to", "npy");
        var file = Invocation.Run("data", "convert", "embedded", folder["taken/thesis.txt"], "--to", "npy");
        var format = Invocation.Run("data", "convert", "embedded", folder["new"], "--to", "nyp");
        var size = Invocation.Run("data", "convert", "embedded", folder["new"], "--to", "cifar-binary");
        Assert.Multiple(() =>
        {
            Assert.That((taken.Code, file.Code, format.Code, size.Code), Is.EqualTo((2, 2, 2, 1)));
            Assert.That(taken.Error, Does.Contain("is not empty"));
            Assert.That(format.Error, Does.Contain("did you mean 'npy'?"));
            Assert.That(size.Error, Does.Contain("32 x 32 x 3"));
            Assert.That(Directory.GetFileSystemEntries(folder["taken"]), Has.Length.EqualTo(1));
            Assert.That(Directory.Exists(folder["new"]), Is.False);
        });
    }

    [TestCase("info", "mnits", "did you mean 'mnist'?")]
    [TestCase("download", "cifr10", "did you mean 'cifar10'?")]
    [TestCase("download", "embedded", "cifar10, cifar100, svhn, svhn-extra, tiny-imagenet, mnist, fashion-mnist can")]
    public void A_name_that_is_not_known_is_wrong_usage(string command, string name, string message)
    {
        var run = Invocation.Run("data", command, name);
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain(message));
    }

    [Test]
    public void A_folder_that_is_not_there_ends_the_command_with_a_line()
    {
        var run = Invocation.Run("data", "info", "./not-there");
        Assert.That((run.Code, run.Error.TrimEnd()), Is.EqualTo((1, "dom: error: ./not-there: no such folder.")));
    }

    [Test]
    public async Task A_download_comes_from_the_mirror_in_plain_lines_and_a_second_one_moves_nothing()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        var run = await DownloadAsync(folder, default, "--mirror", server.Address);
        var again = await DownloadAsync(folder, default, "--mirror", server.Address);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            Assert.That(run.Output, Does.Contain("file.bin  0.3 of 0.3 MB  100 %").And.Contain($"set is in {folder["set"]}; the hashes are right."));
            Assert.That(run.Output, Does.Contain($"dom train --data set --data-dir {folder.Root}").And.Not.Contain("\r"));
            Assert.That(again.Output, Does.Contain("already"));
            Assert.That(server.Requests, Has.Count.EqualTo(1));
        });
    }

    [Test]
    public async Task A_download_goes_on_from_the_part_that_is_there_and_from_the_next_mirror()
    {
        using var folder = new ScratchFolder();
        using var missing = new LocalServer(_ => new Answer("404 Not Found", []));
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        Directory.CreateDirectory(folder["set"]);
        File.WriteAllBytes(folder["set/file.bin.part"], s_content[..100_000]);
        var run = await DownloadAsync(folder, default, "--mirror", missing.Address, "--mirror", server.Address);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            Assert.That(server.Requests, Is.EqualTo(new[] { new Asked("/files/file.bin", 100_000) }));
        });
    }

    [Test]
    [NonParallelizable]
    public async Task The_environment_names_mirrors_where_the_command_does_not()
    {
        using var folder = new ScratchFolder();
        using var missing = new LocalServer(_ => new Answer("404 Not Found", []));
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        Environment.SetEnvironmentVariable(DataCommand.MirrorVariable, $" {missing.Address} ; {server.Address};");
        try
        {
            var run = await DownloadAsync(folder, default);
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That((missing.Requests.Count, server.Requests.Count), Is.EqualTo((1, 1)));
        }
        finally
        {
            Environment.SetEnvironmentVariable(DataCommand.MirrorVariable, null);
        }
    }

    [Test]
    public void A_download_that_no_mirror_gives_names_each_of_them()
    {
        using var folder = new ScratchFolder();
        using var page = new LocalServer(_ => new Answer("200 OK", "<html>login</html>"u8.ToArray()));
        Assert.That(async () => await DownloadAsync(folder, default, "--mirror", page.Address, "--mirror", "ftp://old.example"),
            Throws.TypeOf<DataException>().With.Message.Contains(page.Address).And.Message.Contains("a web page").And.Message.Contains("ftp://old.example"));
    }

    [Test]
    public async Task An_interrupted_download_keeps_its_part_says_how_to_go_on_and_returns_130()
    {
        using var folder = new ScratchFolder();
        using var stop = new CancellationTokenSource();
        // The server stops after half of the file; that is when the person presses Ctrl-C.
        using var server = new LocalServer(asked =>
        {
            if (asked.RangeStart is not null)
                stop.Cancel();
            return LocalServer.Serve(s_content, asked, asked.RangeStart is null ? 150_000 : 0);
        });
        var run = await DownloadAsync(folder, stop.Token, "--mirror", server.Address);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.EqualTo(130));
            Assert.That(File.ReadAllBytes(folder["set/file.bin.part"]), Is.EqualTo(s_content[..150_000]));
            Assert.That(run.Error, Does.Contain("150,000 bytes of file.bin are kept").And.Contain($"dom data download set --data-dir {folder.Root} --mirror {server.Address}"));
        });
    }

    [Test]
    public void A_slow_download_from_toronto_is_explained_once_and_a_fast_one_or_another_place_is_not()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Metered(bytesPerSecond: 100_000, isOnlyFromToronto: true).Split("cs.toronto.edu"), Has.Length.EqualTo(2));
            Assert.That(Metered(bytesPerSecond: 100_000, isOnlyFromToronto: true), Does.Contain("--mirror URL").And.Contain("0.10 MB/s").And.Contain("left"));
            Assert.That(Metered(bytesPerSecond: 5_000_000, isOnlyFromToronto: true), Does.Not.Contain("toronto"));
            Assert.That(Metered(bytesPerSecond: 100_000, isOnlyFromToronto: false), Does.Not.Contain("toronto"));
        });
    }

    [Test]
    public void The_rate_does_not_count_what_an_earlier_download_brought()
    {
        using var output = new StringWriter();
        var clock = new ManualClock();
        var meter = new DownloadMeter(new Screen(output), false, clock);
        meter.Report(new DownloadProgress("file.bin", 90_000_000, 100_000_000));
        clock.Advance(TimeSpan.FromSeconds(5));
        meter.Report(new DownloadProgress("file.bin", 100_000_000, 100_000_000));
        Assert.That(output.ToString(), Does.Contain("100.0 of 100.0 MB  100 %  2.00 MB/s"));
    }

    private static string Metered(int bytesPerSecond, bool isOnlyFromToronto)
    {
        using var output = new StringWriter();
        var clock = new ManualClock();
        var meter = new DownloadMeter(new Screen(output), isOnlyFromToronto, clock);
        for (int second = 0; second <= 30; second++)
        {
            meter.Report(new DownloadProgress("file.bin", 1 + second * (long)bytesPerSecond, 30L * bytesPerSecond + 1));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        return output.ToString();
    }

    private static Task<Invocation> DownloadAsync(ScratchFolder folder, CancellationToken cancellation, params string[] arguments)
    {
#pragma warning disable CA5351 // The published hashes are MD5.
        string hash = Convert.ToHexStringLower(MD5.HashData(s_content));
#pragma warning restore CA5351
        DownloadSource[] sources = [new("set", "set", [new DownloadFile("file.bin", hash, s_content.Length, ["http://127.0.0.1:1/nobody"])])];
        var command = DataCommand.Create(sources, () => new DataSetDownloader(s_client) { RetryDelay = TimeSpan.Zero }, TimeProvider.System);
        return Invocation.RunAsync(command, cancellation, ["download", "set", "--data-dir", folder.Root, .. arguments]);
    }
}
