using System.Globalization;

namespace Dom.Train;

/// <summary>Another process writes there already; the message says which one, since when, and what can be done.</summary>
/// <param name="message">The message.</param>
public sealed class InUseException(string message) : IOException(message);

/// <summary>Keeps a second process from writing where this one writes, until it is disposed of or the process ends, in whatever way.</summary>
/// <remarks>
/// What counts is the system's lock on the open file, not that the file is there: what a killed process or a power cut left behind is taken over. An
/// orderly end deletes the file. Beside it lies a note, <see cref="OwnerSuffix"/>, that says who holds the lock: a locked file itself cannot be read
/// everywhere. Readers need no lock and are never kept out. Where the file system knows no locks, everybody gets one.
/// </remarks>
public sealed class ExclusiveLock : IDisposable
{
    /// <summary>How names of lock files end.</summary>
    public const string Suffix = ".lock";

    /// <summary>What is appended to a lock file's name for the note about its holder.</summary>
    public const string OwnerSuffix = ".owner";

    private const int LongestNote = 500;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    private readonly string _path;
    private FileStream? _file;

    private ExclusiveLock(string path, FileStream? file, string? warning) => (_path, _file, Warning) = (path, file, warning);

    /// <summary>Why nothing is locked, as a sentence for the user; null where the lock is held.</summary>
    public string? Warning { get; }

    /// <summary>Takes a lock. Where that fails for another reason than that it is held, there is a <see cref="Warning"/>: work must not stop for want of a lock.</summary>
    /// <param name="path">The lock file; its folder must exist.</param>
    /// <param name="subject">The folder or file that is written to.</param>
    /// <param name="otherwise">What a second process can do besides waiting and ending the first: "choose another folder".</param>
    /// <exception cref="InUseException">Another process, or another part of this one, holds it.</exception>
    public static ExclusiveLock Take(string path, string subject, string otherwise) => TryTake(path) ?? throw InUse(path, subject, otherwise);

    /// <summary>The same, but waits for somebody who needs a moment only.</summary>
    /// <exception cref="InUseException">It is held for longer than <paramref name="longest"/>.</exception>
    public static ExclusiveLock Wait(string path, string subject, string otherwise, TimeSpan longest)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            if (TryTake(path) is { } taken)
                return taken;
            if (watch.Elapsed >= longest)
                throw InUse(path, subject, otherwise);
            Thread.Sleep(s_pause);
        }
    }

    /// <summary>Sees to it that nobody holds a lock, and makes no file for that.</summary>
    /// <exception cref="InUseException">Somebody does.</exception>
    public static void RequireFree(string path, string subject, string otherwise)
    {
        if (File.Exists(path))
            Take(path, subject, otherwise).Dispose();
    }

    /// <summary>Whether a file is a lock file of this name or the note beside it.</summary>
    internal static bool IsPart(string file, string path) => file == path || file == path + OwnerSuffix;

    /// <summary>Deletes the file and gives the lock back.</summary>
    public void Dispose()
    {
        if (_file is null)
            return;
        DeleteQuietly(_path + OwnerSuffix);
        _file.Dispose();
        _file = null; // a second call must not delete the note of the next holder
    }

    private static ExclusiveLock? TryTake(string path)
    {
        FileStream file;
        try
        {
            // With exactly these options .NET deletes the file before it lets go of the lock, and on opening looks whether the file it has locked is
            // still the one at this path: otherwise one process could lock a file that is just being deleted, and the next one a new file.
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ExclusiveLock(path, null, $"{path}: no lock can be taken ({DiskError.Describe(e)}), so nothing keeps a second process from writing there at the same time.");
        }
        WriteNote(path + OwnerSuffix);
        return new ExclusiveLock(path, file, null);
    }

    /// <summary>Whether opening failed because another has the file open, by the number that the system gave.</summary>
    private static bool IsHeld(IOException error)
    {
        const int SharingViolation = unchecked((int)0x80070020), LockViolation = unchecked((int)0x80070021);
        const int WouldBlockOnLinux = 11, WouldBlockOnMacOS = 35;
        return OperatingSystem.IsWindows() ? error.HResult is SharingViolation or LockViolation
            : error.HResult == (OperatingSystem.IsLinux() ? WouldBlockOnLinux : WouldBlockOnMacOS);
    }

    private static InUseException InUse(string path, string subject, string otherwise) => new(
        $"{subject}: in use by {ReadNote(path + OwnerSuffix) ?? "another process"}. Wait until it is done, end that process, or {otherwise}.");

    // Process ids mean something on their machine only, and folders are shared between machines.
    private static void WriteNote(string path)
    {
        try
        {
            File.WriteAllText(path, string.Create(
                CultureInfo.InvariantCulture,
                $"process {Environment.ProcessId} on {Environment.MachineName} since {DateTimeOffset.Now:yyyy-MM-dd HH:mm:ss zzz}\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The lock holds without it; only must an old note not name somebody else.
            DeleteQuietly(path);
        }
    }

    /// <summary>Who holds a lock, or null where that is not known: the note is not written yet, or somebody else's file.</summary>
    private static string? ReadNote(string path)
    {
        try
        {
            string text = new FileInfo(path) is { Exists: true, Length: < LongestNote } ? File.ReadAllText(path) : "";
            return text.StartsWith("process ", StringComparison.Ordinal) && text.IndexOf('\n') == text.Length - 1 ? text[..^1] : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A note that stays behind harms nobody: the next holder writes its own over it.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
