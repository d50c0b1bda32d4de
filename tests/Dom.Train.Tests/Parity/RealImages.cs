using System.Diagnostics;
using Dom.Train.Data;

namespace Dom.Train.Tests.Parity;

/// <summary>A part of CIFAR-10 (JPEG) from the folder of real images beside the checkout.</summary>
internal static class RealImages
{
    private const string Archive = "cifar10-jpg.tar.xz";

    /// <summary>The first images of every class of both splits; the test is skipped where the archive is absent.</summary>
    /// <param name="trainPattern">Shell pattern of the names of the training images, such as <c>00??.jpg</c> for 100 a class.</param>
    /// <param name="testPattern">The same for the held-out images.</param>
    public static DataSet Load(string trainPattern, string testPattern)
    {
        string archive = Path.Combine(Tests.Data.SharedData.FolderOrSkip(), Archive);
        if (!File.Exists(archive))
            Assert.Ignore($"{archive} is absent; this test trains on its images.");
        using var folder = new Tests.Data.ScratchFolder();
        using var tar = Process.Start(new ProcessStartInfo(
            "tar", ["-xJf", archive, "-C", folder.Path, "--wildcards", $"train/*/{trainPattern}", $"test/*/{testPattern}"]))!;
        tar.WaitForExit();
        Assert.That(tar.ExitCode, Is.Zero, "tar");
        return ImageFolder.Load(folder.Path);
    }
}
