namespace Dom.Train.Tests.Data.Images;

/// <summary>
/// The folder of real images that may lie beside the checkout; tests that need it are skipped where it is absent.
/// </summary>
internal static class SharedData
{
    public static string Require(string file)
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "shared", "data", file);
            if (File.Exists(path))
                return path;
        }
        Assert.Ignore($"shared/data/{file} is absent: no folder above the tests holds it.");
        return "";
    }
}
