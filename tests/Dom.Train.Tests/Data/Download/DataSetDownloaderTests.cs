using System.Security.Cryptography;
using Dom.Train.Data;
using Dom.Train.Data.Download;

namespace Dom.Train.Tests.Data.Download;

public sealed class DataSetDownloaderTests
{
    private static readonly byte[] s_content = Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7 + i / 251)).ToArray();
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false });

    private static readonly DataSetDownloader s_downloader = new(s_client) { RetryDelay = TimeSpan.Zero };

    private static string Hash(byte[] bytes)
    {
#pragma warning disable CA5351 // The published hashes are MD5.
        return Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
    }

    private static DownloadSource Source(byte[] content, params string[] mirrors) =>
        new("set", "set", [new DownloadFile("file.bin", Hash(content), content.Length, mirrors)]);

    [Test]
    public async Task A_file_is_downloaded_and_its_progress_reported()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        var steps = new List<DownloadProgress>();
        string where = await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path, progress: steps.Add);
        Assert.Multiple(() =>
        {
            Assert.That(where, Is.EqualTo(folder["set"]));
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            Assert.That(server.Requests, Is.EqualTo(new[] { new Asked("/files/file.bin", null) }));
            Assert.That(steps[^1], Is.EqualTo(new DownloadProgress("file.bin", 300_000, 300_000)));
            Assert.That(steps.Select(step => step.Bytes), Is.Ordered.And.Unique);
            Assert.That(Directory.GetFiles(folder["set"]), Has.Length.EqualTo(1));
        });
    }

    [Test]
    public async Task A_second_download_of_the_same_file_is_refused_while_the_first_one_goes_on_and_the_first_one_succeeds()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        var source = Source(s_content, server.Address);
        InUseException? refused = null;
        await s_downloader.DownloadAsync(source, folder.Path, progress: _ =>
            refused ??= Assert.ThrowsAsync<InUseException>(() => s_downloader.DownloadAsync(source, folder.Path)));
        Assert.That(refused!.Message, Does.StartWith($"{folder["set/file.bin"]}: in use by process {Environment.ProcessId} ").And.EndWith("or choose another --data-dir."));
        Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
        Assert.That(Directory.GetFiles(folder["set"]), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_file_that_is_there_with_the_right_hash_is_not_asked_for()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        folder.Write("set/file.bin", s_content);
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_file_that_is_there_with_another_hash_is_kept_under_another_name()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        folder.Write("set/file.bin", [1, 2, 3]);
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            Assert.That(File.ReadAllBytes(folder["set/file.bin.old"]), Is.EqualTo(new byte[] { 1, 2, 3 }));
        });
    }

    [Test]
    public void A_file_that_is_there_stays_where_no_better_one_can_be_had()
    {
        using var folder = new ScratchFolder();
        folder.Write("set/file.bin", [1, 2, 3]);
        Failure(_ => new Answer("404 Not Found", []), folder);
        Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public async Task A_connection_that_breaks_half_way_is_resumed_with_a_range()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked, asked.RangeStart is null ? 120_000 : null));
        var steps = new List<DownloadProgress>();
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path, progress: steps.Add);
        Assert.Multiple(() =>
        {
            Assert.That(server.Requests.Select(asked => asked.RangeStart), Is.EqualTo(new long?[] { null, 120_000 }));
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            Assert.That(steps[^1], Is.EqualTo(new DownloadProgress("file.bin", 300_000, 300_000)));
        });
    }

    [Test]
    public async Task What_an_earlier_run_left_is_gone_on_from()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        folder.Write("set/file.bin.part", s_content[..200_001]);
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(server.Requests.Single().RangeStart, Is.EqualTo(200_001));
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
        });
    }

    [Test]
    public async Task A_part_that_is_already_whole_is_accepted()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        folder.Write("set/file.bin.part", s_content);
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
        Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
    }

    [Test]
    public async Task A_part_of_another_version_is_dropped_and_the_file_fetched_from_its_first_byte()
    {
        foreach (int length in new[] { 1000, 300_000, 300_001 })
        {
            using var folder = new ScratchFolder();
            using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
            folder.Write("set/file.bin.part", new byte[length]);
            await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
            Assert.Multiple(() =>
            {
                Assert.That(server.Requests.Select(asked => asked.RangeStart), Is.EqualTo(new long?[] { length, null }));
                Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
            });
        }
    }

    [Test]
    public async Task A_server_that_ignores_the_range_makes_the_file_start_again()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => new Answer("200 OK", s_content));
        folder.Write("set/file.bin.part", s_content[..1000]);
        await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path);
        Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
    }

    [Test]
    public async Task The_next_mirror_is_tried_after_404()
    {
        using var folder = new ScratchFolder();
        using var absent = new LocalServer(_ => new Answer("404 Not Found", "<html>not here</html>"u8.ToArray()));
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        await s_downloader.DownloadAsync(Source(s_content, absent.Address, server.Address), folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(absent.Requests, Has.Count.EqualTo(1));
            Assert.That(File.ReadAllBytes(folder["set/file.bin"]), Is.EqualTo(s_content));
        });
    }

    [Test]
    public async Task A_mirror_given_by_hand_replaces_the_built_in_ones()
    {
        using var folder = new ScratchFolder();
        using var builtIn = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        using var own = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        await s_downloader.DownloadAsync(Source(s_content, builtIn.Address), folder.Path, [own.Address + "/"]);
        Assert.That((builtIn.Requests.Count, own.Requests.Count), Is.EqualTo((0, 1)));
    }

    private static DataException Failure(Func<Asked, Answer> answer, ScratchFolder folder)
    {
        using var server = new LocalServer(answer);
        return Assert.ThrowsAsync<DataException>(() => s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path))!;
    }

    [TestCase("Content-Type: application/gzip\r\n", "<!doctype html><html>Please sign in</html>")]
    [TestCase("Content-Type: text/html; charset=utf-8\r\n", "Please sign in")]
    public void A_web_page_is_not_taken_for_the_file(string headers, string page)
    {
        using var folder = new ScratchFolder();
        var error = Failure(_ => new Answer("200 OK", System.Text.Encoding.ASCII.GetBytes(page), headers), folder);
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain("web page").And.Contain("http://127.0.0.1"));
            Assert.That(Directory.GetFiles(folder["set"]), Is.Empty);
        });
    }

    [Test]
    public void Wrong_contents_are_kept_aside_and_both_hashes_named()
    {
        using var folder = new ScratchFolder();
        byte[] wrong = [.. s_content[..^1], 0xAA];
        var error = Failure(asked => LocalServer.Serve(wrong, asked), folder);
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain(Hash(s_content)).And.Contain(Hash(wrong)).And.Contain("file.bin.bad"));
            Assert.That(File.Exists(folder["set/file.bin"]), Is.False);
            Assert.That(File.ReadAllBytes(folder["set/file.bin.bad"]), Is.EqualTo(wrong));
        });
    }

    [Test]
    public void A_server_that_always_hangs_up_is_given_up_and_what_came_is_kept()
    {
        using var folder = new ScratchFolder();
        var error = Failure(asked => LocalServer.Serve(s_content, asked, asked.RangeStart is null ? 1000 : 0), folder);
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain("1,000 bytes are here; a later run goes on from there"));
            Assert.That(new FileInfo(folder["set/file.bin.part"]).Length, Is.EqualTo(1000));
        });
    }

    [Test]
    public void The_answers_of_all_mirrors_are_in_the_message()
    {
        using var folder = new ScratchFolder();
        using var absent = new LocalServer(_ => new Answer("404 Not Found", []));
        using var broken = new LocalServer(_ => new Answer("503 Service Unavailable", []));
        using var gone = new LocalServer(_ => new Answer("200 OK", []));
        string closedPort = gone.Address;
        gone.Dispose();
        var error = Assert.ThrowsAsync<DataException>(() => s_downloader.DownloadAsync(
            Source(s_content, absent.Address, broken.Address, closedPort, "ftp://127.0.0.1/"), folder.Path))!;
        Assert.That(error.Message, Does.Contain("404 Not Found").And.Contain("503 Service Unavailable").And.Contain("no connection to 127.0.0.1")
            .And.Contain("not an http or https address").And.Contain("by hand"));
    }

    [Test]
    public void A_server_that_never_answers_is_given_up_after_the_stall_limit()
    {
        using var folder = new ScratchFolder();
        using var testIsOver = new ManualResetEventSlim();
        using var server = new LocalServer(_ =>
        {
            testIsOver.Wait();
            return new Answer("200 OK", []);
        });
        var downloader = new DataSetDownloader(s_client) { RetryDelay = TimeSpan.Zero, Attempts = 1, StallLimit = TimeSpan.FromMilliseconds(50) };
        var error = Assert.ThrowsAsync<DataException>(() => downloader.DownloadAsync(Source(s_content, server.Address), folder.Path))!;
        testIsOver.Set();
        Assert.That(error.Message, Does.Contain("the connection brought nothing"));
    }

    [Test]
    public void A_canceled_download_leaves_what_came()
    {
        using var folder = new ScratchFolder();
        using var server = new LocalServer(asked => LocalServer.Serve(s_content, asked));
        using var stop = new CancellationTokenSource();
        Assert.That(async () => await s_downloader.DownloadAsync(Source(s_content, server.Address), folder.Path, progress: _ => stop.Cancel(), cancellation: stop.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(new FileInfo(folder["set/file.bin.part"]).Length, Is.GreaterThan(0));
    }

    [Test]
    public void Every_source_has_a_full_hash_and_an_address()
    {
        foreach (var file in DownloadSource.All.SelectMany(source => source.Files))
        {
            Assert.That(file.Md5, Does.Match("^[0-9a-f]{32}$"));
            Assert.That(file.Mirrors.Select(mirror => new Uri(new Uri(mirror), file.Name).Scheme), Has.All.StartsWith("http"));
        }
        Assert.That(() => DownloadSource.Of("cifar"), Throws.TypeOf<DataException>().With.Message.Contains("did you mean 'cifar10'?"));
    }
}
