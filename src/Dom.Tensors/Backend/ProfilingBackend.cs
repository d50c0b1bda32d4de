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
    private readonly List<(RecordedCall Call, int Thread, long Begin, TimeSpan Duration)> _calls = [];
    private readonly List<ProfiledSpan> _spans = [];
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
            {
                return _calls.Select(c => new ProfiledCall(
                    c.Call.Name, c.Call.Arguments, c.Thread, Stopwatch.GetElapsedTime(_start, c.Begin), c.Duration)).ToArray();
            }
        }
    }

    /// <summary>What <see cref="AddSpan"/> was told, in that order.</summary>
    public IReadOnlyList<ProfiledSpan> Spans
    {
        get
        {
            lock (_lock)
                return _spans.ToArray();
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
        // Arguments become text when somebody reads them: it would take longer than a small kernel, and show as a gap behind it.
        var recorded = new RecordedCall<TCall>(call);
        lock (_lock)
            _calls.Add((recorded, Environment.CurrentManagedThreadId, begin, duration));
    }

    /// <summary>Adds work of the calling thread that just ended, and that may hold calls, to the trace: a batch, a checkpoint.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="begin">When it began, as <see cref="Stopwatch.GetTimestamp"/> tells it.</param>
    public void AddSpan(string name, long begin)
    {
        var span = new ProfiledSpan(name, Environment.CurrentManagedThreadId, Stopwatch.GetElapsedTime(_start, begin), Stopwatch.GetElapsedTime(begin));
        lock (_lock)
            _spans.Add(span);
    }

    /// <summary>Forgets the calls so far: what was measured while warming up.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _calls.Clear();
            _spans.Clear();
        }
    }

    /// <summary>Writes the calls, and behind them the spans (category "host"), as a Chrome trace (complete events, microseconds) for chrome://tracing, Perfetto or speedscope.</summary>
    public void WriteTo(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        foreach (var call in Calls)
        {
            WriteEvent(json, call.Name, Name, call.Thread, call.Start, call.Duration);
            json.WriteStartObject("args");
            json.WriteString("call", call.Arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        foreach (var span in Spans)
        {
            WriteEvent(json, span.Name, "host", span.Thread, span.Start, span.Duration);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEvent(Utf8JsonWriter json, string name, string category, int thread, TimeSpan start, TimeSpan duration)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("cat", category);
        json.WriteString("ph", "X");
        json.WriteNumber("ts", start.TotalMicroseconds);
        json.WriteNumber("dur", duration.TotalMicroseconds);
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", thread);
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

/// <summary>Work around the calls, such as the making of a batch or a checkpoint.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Thread">Managed id of its thread.</param>
/// <param name="Start">When it began, from the making of the backend.</param>
/// <param name="Duration">How long it took, calls inside it included.</param>
public sealed record ProfiledSpan(string Name, int Thread, TimeSpan Start, TimeSpan Duration);

/// <summary>All calls of one name.</summary>
/// <param name="Name">"Conv2dForward".</param>
/// <param name="Count">How many there were.</param>
/// <param name="TotalMilliseconds">Their time together.</param>
/// <param name="Share">Part of the time of all calls, 0..1.</param>
public sealed record ProfileRow(string Name, int Count, double TotalMilliseconds, double Share);
