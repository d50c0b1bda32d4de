using System.Diagnostics;

namespace Dom.Train.Tests.Data.Images;

/// <summary>Python's Pillow as an independent decoder; a test that needs it is skipped where it is absent.</summary>
internal static class Pillow
{
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<string?> s_absence = new(FindAbsence);

    /// <summary>
    /// Whether Pillow decodes with libjpeg-turbo, whose bytes are reproduced; other libraries round differently.
    /// </summary>
    public static bool UsesLibjpegTurbo =>
        Run("import sys; from PIL import features; print(features.check_feature('libjpeg_turbo'))").Contains("True", StringComparison.Ordinal);

    /// <summary>Writes the decoded bytes of each image FILE of the folder to FILE.raw, in the mode L or RGB.</summary>
    public static void DecodeFolder(string folder) => Run("""
        import os, sys
        from PIL import Image
        for root, _, names in os.walk(sys.argv[1]):
            for name in names:
                path = os.path.join(root, name)
                if name.rsplit('.', 1)[-1] not in ('png', 'jpg', 'jpeg'): continue
                image = Image.open(path)
                if image.mode != 'L': image = image.convert('L' if image.mode in ('1', 'LA') else 'RGB')
                open(path + '.raw', 'wb').write(image.tobytes())
        """, folder);

    public static string Run(string script, params string[] arguments)
    {
        if (s_absence.Value is { } reason)
            Assert.Ignore(reason);
        var (code, output, error) = Start(script, arguments);
        Assert.That(code, Is.Zero, error);
        return output;
    }

    private static string? FindAbsence()
    {
        if (!File.Exists(Python))
            return $"{Python} is absent; it is the independent decoder of this test.";
        var (code, _, error) = Start("import PIL.Image", []);
        return code == 0 ? null : $"{Python} has no Pillow, the independent decoder of this test: {error.Trim().Split('\n')[^1]}";
    }

    private static (int Code, string Output, string Error) Start(string script, string[] arguments)
    {
        var info = new ProcessStartInfo(Python, ["-c", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
