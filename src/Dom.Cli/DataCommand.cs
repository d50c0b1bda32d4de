using System.CommandLine;
using Dom.Cli.Data;
using Dom.Train;
using Dom.Train.Data;
using Dom.Train.Data.Download;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary><c>dom data info | convert | download</c>: looks at data sets, rewrites them, brings them here.</summary>
internal static class DataCommand
{
    /// <summary>Addresses of mirrors, separated by ';', that are used where no <c>--mirror</c> is given.</summary>
    public const string MirrorVariable = "DOM_DATA_MIRROR";

    private static readonly string[] s_targets = ["npy", "cifar-binary"];

    /// <summary>The command with its subcommands.</summary>
    public static Command Create() =>
        Create(DownloadSource.All, () => new DataSetDownloader(NewClient()), TimeProvider.System);

    /// <summary>The command with other things to download than the real ones.</summary>
    /// <param name="sources">What can be downloaded.</param>
    /// <param name="newDownloader">Makes what downloads it.</param>
    /// <param name="clock">Tells the time.</param>
    internal static Command Create(IReadOnlyList<DownloadSource> sources, Func<DataSetDownloader> newDownloader, TimeProvider clock) =>
        new("data", "Looks at a data set, converts it, or downloads it.")
        {
            Info(), Convert(), Download(sources, newDownloader, clock),
        };

    private static Command Info()
    {
        var set = SetArgument();
        var directory = DirectoryOption();
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("info",
            "Says what a data set is: format, sizes, classes, pixel statistics, hash, wrong labels.")
        { set, directory, json };
        command.SetAction(result =>
        {
            var description = DataDescription.Open(
                result.GetRequiredValue(set), result.GetValue(directory), ReadingLine.On(new Screen(result.InvocationConfiguration.Error)));
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(json))
                output.WriteLine(description.ToJson());
            else
                output.Write(description.ToText());
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Convert()
    {
        var set = SetArgument();
        var target = new Argument<string>("OUT") { Description = "Folder to write; it must be new or empty." };
        var format = new Option<string>("--to") { Description = "npy or cifar-binary.", HelpName = "FORMAT", Required = true };
        var directory = DirectoryOption();
        var command = new Command("convert",
            "Writes a data set in another format: npy (x_train.npy, y_train.npy, x_test.npy, y_test.npy) or cifar-binary (the layout of "
            + "CIFAR-10, for images of 32 x 32 x 3). Never overwrites a file.")
        { set, target, format, directory };
        command.SetAction(result =>
        {
            string to = result.GetRequiredValue(format);
            if (!s_targets.Contains(to))
                throw new OptionException($"--to '{to}' is not a format; there are {string.Join(", ", s_targets)}{NearestName.Hint(to, s_targets)}");
            string folder = result.GetRequiredValue(target);
            RequireNewFolder(folder);
            var data = DataDescription.Open(
                result.GetRequiredValue(set), result.GetValue(directory), ReadingLine.On(new Screen(result.InvocationConfiguration.Error))).Set;
            if (to == "npy")
                DataConversion.ToNpy(data, folder);
            else
                DataConversion.ToCifarBinary(data, folder);
            var output = result.InvocationConfiguration.Output;
            output.WriteLine($"{folder}: {data.Train.Count:N0} training and {data.Test.Count:N0} test images of {data.ClassNames.Count} classes as {to}.");
            if (to == "cifar-binary" && DataDescription.WrongCount(data.Train) > 0)
                output.WriteLine("The labels are those that training sees; this format has no place for the true ones beside them (npy has).");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Download(IReadOnlyList<DownloadSource> sources, Func<DataSetDownloader> newDownloader, TimeProvider clock)
    {
        string[] names = [.. sources.Select(source => source.DataSet)];
        var name = new Argument<string>("NAME") { Description = $"One of {string.Join(", ", names)}." };
        var directory = DirectoryOption();
        var mirrors = new Option<string[]>("--mirror")
        {
            Description = $"Address of a folder (http or https) that holds the files; may be given several times. Default: {MirrorVariable} "
                + "(addresses separated by ';'), else the places where the authors publish them.",
            HelpName = "URL",
        };
        var command = new Command("download",
            "Brings a data set here. Goes on where an earlier download stopped, checks the published hash of every file, tries one mirror "
            + "after the other. Ctrl-C keeps what is here (.part); the same command goes on from there.")
        { name, directory, mirrors };
        command.SetAction(async (result, cancellation) =>
        {
            string asked = result.GetRequiredValue(name);
            var source = sources.FirstOrDefault(s => s.DataSet.Equals(asked, StringComparison.OrdinalIgnoreCase)) ?? throw new OptionException(
                    $"'{asked}' cannot be downloaded; {string.Join(", ", names)} can{NearestName.Hint(asked, names)}");
            string folder = result.GetValue(directory) ?? DataSets.DefaultFolder;
            var chosen = MirrorsOf(result.GetValue(mirrors));
            var output = result.InvocationConfiguration.Output;
            var addresses = chosen.Length > 0 ? chosen : source.Files.SelectMany(file => file.Mirrors);
            bool isOnlyFromToronto = addresses.All(address => address.Contains("cs.toronto.edu", StringComparison.OrdinalIgnoreCase));
            var meter = new DownloadMeter(new Screen(output), isOnlyFromToronto, clock);
            try
            {
                string where = await newDownloader().DownloadAsync(source, folder, chosen, meter.Report, cancellation).ConfigureAwait(false);
                meter.Finish();
                output.WriteLine(meter.HasMoved
                    ? $"{source.DataSet} is in {where}; the hashes are right."
                    : $"{source.DataSet} was in {where} already; the hashes are right.");
                output.WriteLine($"Train on it: dom train --data {source.DataSet} --data-dir {folder}");
                return ExitCode.Done;
            }
            catch (OperationCanceledException)
            {
                meter.Finish();
                string kept = meter.HasMoved ? $"; {meter.Bytes:N0} bytes of {meter.File} are kept" : "";
                string mirrorOptions = string.Concat((result.GetValue(mirrors) ?? []).Select(address => $" --mirror {address}"));
                result.InvocationConfiguration.Error.WriteLine(
                    $"Stopped{kept}. Go on with: dom data download {source.DataSet} --data-dir {folder}{mirrorOptions}");
                return ExitCode.Interrupted;
            }
        });
        return command;
    }

    private static Argument<string> SetArgument() =>
        new("PATH|NAME") { Description = $"A folder, or one of {string.Join(", ", DataSets.Names)}." };

    private static Option<string?> DirectoryOption() => new("--data-dir")
    {
        Description = $"Folder in which named sets lie. Default: {DataSets.DefaultFolder}.",
        HelpName = "DIR",
    };

    private static string[] MirrorsOf(string[]? given) => given is { Length: > 0 } ? given
        : (Environment.GetEnvironmentVariable(MirrorVariable) ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static void RequireNewFolder(string folder)
    {
        if (File.Exists(folder))
            throw new OptionException($"{folder}: this is a file, and nothing is overwritten. Give a folder that is new or empty.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new OptionException($"{folder}: the folder is not empty, and nothing is overwritten. Give one that is new or empty.");
    }

    private static HttpClient NewClient()
    {
        var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("dom/0.1");
        return client;
    }
}
