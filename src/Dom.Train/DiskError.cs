namespace Dom.Train;

/// <summary>Says in plain words why the system refused to write.</summary>
internal static class DiskError
{
    // .NET hands the system's own number through: errno on Unix, an HRESULT on Windows.
    private const int NoSpace = 28, QuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether the disk, or the user's share of it, is full.</summary>
    public static bool IsDiskFull(Exception error) => error.HResult is WindowsDiskFull or WindowsHandleDiskFull
        || (!OperatingSystem.IsWindows() && error.HResult is NoSpace or QuotaExceeded);

    /// <summary>The cause as half a sentence, without a period.</summary>
    public static string Describe(Exception error) =>
        IsDiskFull(error) ? "no space left on the disk; free some and try again" : error.Message.TrimEnd('.');
}
