using System.Xml.Linq;

namespace Dom.Architecture.Tests;

/// <summary>The files that the tests of this project look at.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The project files below src.</summary>
    public static IEnumerable<string> Projects => Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).Order();

    /// <summary>The C# files below a folder of the repository, without what builds leave there.</summary>
    public static IEnumerable<string> Sources(params string[] folder)
    {
        string start = Path.Combine([Root, .. folder]);
        return Directory.EnumerateFiles(start, "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(start, f).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")).Order();
    }

    /// <summary>What a project includes by items of the given name: "ProjectReference", "PackageReference".</summary>
    public static IEnumerable<string> Includes(string project, string item) =>
        XDocument.Load(project).Descendants().Where(e => e.Name.LocalName == item).Select(e => (string?)e.Attribute("Include")).OfType<string>();

    public static string NameOf(string project) => Path.GetFileNameWithoutExtension(project.Replace('\\', '/'));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dom.Native.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("Dom.Native.sln is in no folder above the tests.");
    }
}
