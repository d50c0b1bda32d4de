namespace Dom.Bench;

/// <summary>Where the sources are: the peer's script and the command line that is started lie beside them.</summary>
internal static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    /// <exception cref="DirectoryNotFoundException">The benchmark does not run inside a checkout.</exception>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Dom.Native.sln")))
                    return folder.FullName;
            }
            throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} is not inside a checkout of Dom.Native; run the benchmark from one.");
        }
    }
}
