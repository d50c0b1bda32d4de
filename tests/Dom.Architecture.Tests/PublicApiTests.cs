using System.Reflection;

namespace Dom.Architecture.Tests;

/// <summary>The public surface of each library, as a file: a change of it shows in the diff of whoever makes it.</summary>
public sealed class PublicApiTests
{
    [TestCase("Dom.Tensors")]
    [TestCase("Dom.Kernels")]
    [TestCase("Dom.Nn")]
    [TestCase("Dom.Train")]
    public void The_public_surface_is_the_approved_one(string assembly)
    {
        string path = Path.Combine(Repository.Root, "tests", "PublicApi", $"{assembly}.txt");
        string actual = ApiPrinter.Print(Assembly.Load(assembly));
        if (Environment.GetEnvironmentVariable("DOM_UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
            return;
        }
        Assert.That(path, Does.Exist, "set DOM_UPDATE_SNAPSHOTS=1, run the tests again and commit the file");
        string[] approved = File.ReadAllLines(path), lines = actual.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(
            lines.Except(approved).Select(l => $"+ {l}").Concat(approved.Except(lines).Select(l => $"- {l}")), Is.Empty,
            "if the change is meant, set DOM_UPDATE_SNAPSHOTS=1, run the tests again and commit the file");
        Assert.That(lines, Is.EqualTo(approved));
    }
}
