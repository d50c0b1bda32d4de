using System.Globalization;
using Dom.Train.Data.Download;

namespace Dom.Cli.Data;

/// <summary>Says how a download goes: one line that changes on a terminal, otherwise a line for each tenth of a file.</summary>
/// <param name="screen">Where to say it.</param>
/// <param name="isOnlyFromToronto">Whether all files come from cs.toronto.edu, which is slow for many people.</param>
/// <param name="clock">Tells the time.</param>
internal sealed class DownloadMeter(Screen screen, bool isOnlyFromToronto, TimeProvider clock)
{
    private const double Megabyte = 1e6;
    private const double SlowBytesPerSecond = 0.5 * Megabyte;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly LiveLine _line = new(screen);
    private DownloadProgress _last;
    private long _start, _firstBytes, _shownAt;
    private long _nextPlain;
    private bool _hasExplained;

    /// <summary>Whether any byte was brought: false where everything was there already.</summary>
    public bool HasMoved => _last.File is not null;

    /// <summary>Bytes of the last file that are here.</summary>
    public long Bytes => _last.Bytes;

    /// <summary>Name of the file that the last report was about.</summary>
    public string? File => _last.File;

    /// <summary>Takes a report of the downloader.</summary>
    public void Report(DownloadProgress progress)
    {
        // Another file, or the same one once more from its beginning.
        if (progress.File != _last.File || progress.Bytes < _last.Bytes)
            Begin(progress);
        _last = progress;
        if (progress.Bytes >= _nextPlain || progress.Bytes == progress.Total)
        {
            if (!screen.IsLive)
                screen.Writer.WriteLine(Describe());
            _nextPlain = progress.Bytes + (progress.Total is > 0 ? Math.Max(1, progress.Total.Value / 10) : (long)(10 * Megabyte));
        }
        if (screen.IsLive && (clock.GetElapsedTime(_shownAt) > TimeSpan.FromMilliseconds(200) || progress.Bytes == progress.Total))
        {
            _shownAt = clock.GetTimestamp();
            _line.Show(Describe());
        }
        ExplainSlowness();
    }

    /// <summary>Ends the live line.</summary>
    public void Finish()
    {
        if (!screen.IsLive || !HasMoved)
            return;
        _line.Clear();
        screen.Writer.WriteLine(Describe());
    }

    private void Begin(DownloadProgress progress)
    {
        if (progress.File != _last.File)
            Finish();
        _start = clock.GetTimestamp();
        // The first report counts what an earlier attempt brought, which says nothing about today's speed.
        _firstBytes = progress.Bytes;
        _nextPlain = 0;
    }

    private double Rate => clock.GetElapsedTime(_start).TotalSeconds is > 0.5 and var seconds ? (_last.Bytes - _firstBytes) / seconds : 0;

    private string Describe()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{_last.File}  {_last.Bytes / Megabyte:0.0}");
        text += _last.Total is > 0 and var total
            ? string.Create(CultureInfo.InvariantCulture, $" of {total / Megabyte:0.0} MB  {100.0 * _last.Bytes / total:0} %")
            : " MB";
        if (Rate > 0)
            text += string.Create(CultureInfo.InvariantCulture, $"  {Rate / Megabyte:0.00} MB/s");
        if (Rate > 0 && _last.Total is { } whole && whole > _last.Bytes)
            text += $"  {Duration(TimeSpan.FromSeconds(Math.Min((whole - _last.Bytes) / Rate, 359_999)))} left";
        return text;
    }

    private void ExplainSlowness()
    {
        if (_hasExplained || !isOnlyFromToronto || clock.GetElapsedTime(_start) < s_patience || Rate >= SlowBytesPerSecond)
            return;
        _hasExplained = true;
        _line.Clear();
        screen.Writer.WriteLine($"This is slow because cs.toronto.edu, the set's home, gives each connection little at busy hours; nothing is wrong here. "
            + $"A mirror is faster: --mirror URL (or DOM_DATA_MIRROR), the address of a folder that holds {_last.File}. "
            + "Its hash is checked, whoever sends it. Ctrl-C keeps what is here, and the command goes on from there.");
    }

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
}
