using System.Xml.Linq;

namespace Dom.Architecture.Tests;

/// <summary>The files that the tests of this project look at.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The project files below src.</summary>
    public static IEnumerable<string> Projects => Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).Order();

    /// <summary>The project files of the whole repository.</summary>
    public static IEnumerable<string> AllProjects => new[] { "src", "bench", "tests" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories)).Order();

    /// <summary>The C# files below a folder of the repository, without what builds leave there.</summary>
    public static IEnumerable<string> Sources(params string[] folder)
    {
        string start = Path.Combine([Root, .. folder]);
        return Directory.EnumerateFiles(start, "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(start, f).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")).Order();
    }

    /// <summary>What a project includes by items of the given name: "ProjectReference", "PackageReference".</summary>
    /// <param name="project">The project file.</param>
    /// <param name="item">The items' name.</param>
    /// <param name="labelled">Only those in a group of this label.</param>
    /// <param name="withoutCondition">Not those in a group under this condition.</param>
    public static IEnumerable<string> Includes(string project, string item, string? labelled = null, string? withoutCondition = null) =>
        XDocument.Load(project).Descendants().Where(e => e.Name.LocalName == item)
            .Where(e => labelled is null || (string?)e.Parent?.Attribute("Label") == labelled)
            .Where(e => withoutCondition is null || (string?)e.Parent?.Attribute("Condition") != withoutCondition)
            .Select(e => (string?)e.Attribute("Include")).OfType<string>();

    public static string NameOf(string project) => Path.GetFileNameWithoutExtension(project.Replace('\\', '/'));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dom.Native.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("Dom.Native.sln is in no folder above the tests.");
    }
}
