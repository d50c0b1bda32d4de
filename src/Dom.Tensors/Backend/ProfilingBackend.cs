using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Dom.Tensors.Backend;

/// <summary>
/// Measures the wall time of every call, its completion included: the inner backend is synchronized after each. May be used from several threads.
/// </summary>
public sealed class ProfilingBackend(IBackend inner) : DecoratingBackend(inner)
{
    private readonly Lock _lock = new();
    private readonly List<ProfiledCall> _calls = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private volatile bool _isPaused;

    /// <summary>While true, calls are neither timed nor kept, and the inner backend is not synchronized after each.</summary>
    public bool IsPaused
    {
        get => _isPaused;
        set => _isPaused = value;
    }

    /// <summary>The calls so far, in the order in which they ended.</summary>
    public IReadOnlyList<ProfiledCall> Calls
    {
        get
        {
            lock (_lock)
                return _calls.ToArray();
        }
    }

    /// <summary>Time by call, the largest first.</summary>
    public IReadOnlyList<ProfileRow> Summary
    {
        get
        {
            var calls = Calls;
            double all = calls.Sum(c => c.Duration.TotalMilliseconds);
            return calls.GroupBy(c => c.Name)
                .Select(g => (Name: g.Key, Count: g.Count(), Total: g.Sum(c => c.Duration.TotalMilliseconds)))
                .Select(g => new ProfileRow(g.Name, g.Count, g.Total, all == 0 ? 0 : g.Total / all))
                .OrderByDescending(r => r.TotalMilliseconds).ThenBy(r => r.Name, StringComparer.Ordinal).ToArray();
        }
    }

    /// <summary>Runs and times the call.</summary>
    public override void Run<TCall>(in TCall call)
    {
        NextCall();
        if (_isPaused)
        {
            Inner.Run(in call);
            return;
        }
        Inner.Synchronize(); // what was queued before is not this call's time
        long begin = Stopwatch.GetTimestamp();
        Inner.Run(in call);
        Inner.Synchronize();
        var duration = Stopwatch.GetElapsedTime(begin);
        var profiled = new ProfiledCall(
            typeof(TCall).Name, KernelCallLayout.Of<TCall>().Describe(in call), Environment.CurrentManagedThreadId,
            Stopwatch.GetElapsedTime(_start, begin), duration);
        lock (_lock)
            _calls.Add(profiled);
    }

    /// <summary>Forgets the calls so far: what was measured while warming up.</summary>
    public void Clear()
    {
        lock (_lock)
            _calls.Clear();
    }

    /// <summary>Writes the calls as a Chrome trace (complete events, microseconds) for chrome://tracing, Perfetto or speedscope.</summary>
    public void WriteTo(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        foreach (var call in Calls)
        {
            json.WriteStartObject();
            json.WriteString("name", call.Name);
            json.WriteString("cat", Name);
            json.WriteString("ph", "X");
            json.WriteNumber("ts", call.Start.TotalMicroseconds);
            json.WriteNumber("dur", call.Duration.TotalMicroseconds);
            json.WriteNumber("pid", 1);
            json.WriteNumber("tid", call.Thread);
            json.WriteStartObject("args");
            json.WriteString("call", call.Arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The <see cref="Summary"/> as lines of text: call, count, total ms, share.</summary>
    public string Table()
    {
        var rows = Summary;
        int width = rows.Select(r => r.Name.Length).Append("call".Length).Max();
        var text = new StringBuilder().AppendLine($"{"call".PadRight(width)}  {"count",8}  {"total ms",10}  {"share",6}");
        foreach (var row in rows)
            text.AppendLine($"{row.Name.PadRight(width)}  {row.Count,8}  {row.TotalMilliseconds,10:F3}  {row.Share * 100,5:F1}%");
        return text.ToString();
    }
}

/// <summary>One timed call.</summary>
/// <param name="Name">"Conv2dForward".</param>
/// <param name="Arguments">The arguments without addresses.</param>
/// <param name="Thread">Managed id of the thread that asked for it.</param>
/// <param name="Start">When it began, from the making of the backend.</param>
/// <param name="Duration">Until it had finished.</param>
public sealed record ProfiledCall(string Name, string Arguments, int Thread, TimeSpan Start, TimeSpan Duration);

/// <summary>All calls of one name.</summary>
/// <param name="Name">"Conv2dForward".</param>
/// <param name="Count">How many there were.</param>
/// <param name="TotalMilliseconds">Their time together.</param>
/// <param name="Share">Part of the time of all calls, 0..1.</param>
public sealed record ProfileRow(string Name, int Count, double TotalMilliseconds, double Share);
