using System.Globalization;
using System.Text.RegularExpressions;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>An entry point of a PTX file: bytes of its parameters, and the most threads that a block of it may have.</summary>
internal sealed record PtxEntry(string Name, IReadOnlyList<int> ParameterBytes, int MostThreads);

/// <summary>A file of kernels/ptx.</summary>
internal sealed partial class PtxFile
{
    private PtxFile(string path)
    {
        Path = path;
        string[] name = System.IO.Path.GetFileName(path).Split('.');
        (Module, Architecture) = (name[0], name[1]);
        string text = File.ReadAllText(path);
        string[] head = text[..text.IndexOf('\n', StringComparison.Ordinal)].Split(' ');
        Hash = head.ElementAtOrDefault(1) ?? "";
        Compiler = string.Join(' ', head.Skip(2));
        Entries = [.. Entry().Matches(text).Select(entry => new PtxEntry(
            entry.Groups["name"].Value, [.. Parameter().Matches(entry.Groups["parameters"].Value).Select(BytesOf)],
            int.Parse(entry.Groups["threads"].Value, CultureInfo.InvariantCulture)))];
    }

    /// <summary>Reads a file.</summary>
    public static PtxFile Read(string path) => new(path);

    public static string Folder => System.IO.Path.Combine(Emulator.Kernels, "ptx");

    public static IEnumerable<PtxFile> All => Directory.EnumerateFiles(Folder, "*.ptx").Order(StringComparer.Ordinal).Select(f => new PtxFile(f));

    public string Path { get; }

    /// <summary>"elementwise".</summary>
    public string Module { get; }

    /// <summary>"sm_80".</summary>
    public string Architecture { get; }

    /// <summary>Of the source and the headers that it was made of.</summary>
    public string Hash { get; }

    /// <summary>"clang 22.1.8", or "" where the file does not say.</summary>
    public string Compiler { get; }

    public IReadOnlyList<PtxEntry> Entries { get; }

    public override string ToString() => System.IO.Path.GetFileName(Path);

    private static int BytesOf(Match parameter)
    {
        int one = int.Parse(parameter.Groups["bits"].Value, CultureInfo.InvariantCulture) / 8;
        return parameter.Groups["count"].Success ? one * int.Parse(parameter.Groups["count"].Value, CultureInfo.InvariantCulture) : one;
    }

    [GeneratedRegex(@"\.visible\s+\.entry\s+(?<name>\w+)\((?<parameters>[^)]*)\)\s*\.maxntid\s+(?<threads>\d+)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\.param\s+(?:\.align\s+\d+\s+)?\.[busf](?<bits>\d+)\s+[^,\[]*(?:\[(?<count>\d+)\])?")]
    private static partial Regex Parameter();
}
