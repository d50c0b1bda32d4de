using System.Security.Cryptography;

namespace Dom.Train.Data.Download;

// MD5 because it is what the authors of the data sets publish. It finds damaged and mistaken files; it is no
// protection from forged ones.
#pragma warning disable CA5351

/// <summary>The MD5 of a file that arrives in pieces.</summary>
internal static class Md5
{
    public static IncrementalHash Create() => IncrementalHash.CreateHash(HashAlgorithmName.MD5);

    public static async Task<string> OfFileAsync(string path, CancellationToken cancellation)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await MD5.HashDataAsync(stream, cancellation).ConfigureAwait(false));
    }
}
