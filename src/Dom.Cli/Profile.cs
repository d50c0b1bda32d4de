using System.Globalization;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>
/// What <c>--profile FILE</c> does: the kernel calls of the first steps are timed one by one; at the end they are written as a Chrome trace and summed up
/// in a table. Nothing of it changes a result.
/// </summary>
internal sealed class Profile
{
    /// <summary>Steps (of an evaluation: batches) that are profiled at most.</summary>
    public const int MostSteps = 100;

    private readonly string _path;
    private readonly ProfilingBackend _backend;
    private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
    private TimeSpan _firstStep;
    private int _steps, _callsBefore, _firstCalls, _firstSpans, _stepSpans;
    private bool _isOver;

    private Profile(string path, ProfilingBackend backend) => (_path, _backend) = (path, backend);

    /// <summary>Wraps the backend where a file was asked for.</summary>
    /// <param name="path">The file, or null for no profile.</param>
    /// <param name="backend">The backend; the result, which takes its place, owns it.</param>
    /// <param name="profile">The profile, or null.</param>
    /// <exception cref="OptionException">The file's folder does not exist, or the path is a folder.</exception>
    public static IBackend Open(string? path, Func<IBackend> backend, out Profile? profile)
    {
        profile = null;
        if (path is null)
            return backend();
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new OptionException($"--profile is {path}, which is a folder; give a file such as trace.json.");
        if (!Directory.Exists(Path.GetDirectoryName(full)))
            throw new OptionException($"--profile is {path}; there is no folder {Path.GetDirectoryName(full)}.");
        var profiling = new ProfilingBackend(backend()) { IsPaused = true };
        profile = new Profile(full, profiling);
        return profiling;
    }

    /// <summary>Begins, with what was called while everything was made ready left out.</summary>
    public void Start()
    {
        _callsBefore = _backend.CallCount;
        _watch.Restart();
        _backend.IsPaused = false;
    }

    /// <summary>A step or a batch is done; ends the profile when it is the last of the epoch, or when there were enough.</summary>
    public void StepDone(bool isLast)
    {
        if (_backend.IsPaused)
            return;
        _steps++;
        if (_steps == 1)
            (_firstStep, _firstCalls, _firstSpans) = (_watch.Elapsed, _backend.CallCount - _callsBefore, _backend.Spans.Count);
        if (isLast || _steps == MostSteps)
            Stop();
    }

    /// <summary>A part of the run begins; what it takes is noted until the first epoch is stored, with the calls that are no longer profiled left out.</summary>
    public IDisposable? Begin(string part) => _isOver ? null : new Part(_backend, part);

    /// <summary>The first epoch is stored.</summary>
    public void EpochDone() => _isOver = true;

    /// <summary>Writes the trace and says where the time went.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Finish(TextWriter output)
    {
        Stop();
        AtomicFile.Write(_path, _backend.WriteTo);
        // The first step compiles kernels and touches memory for the first time; it would hide what a step costs.
        bool leavesOut = _steps > 1;
        int steps = leavesOut ? _steps - 1 : Math.Max(1, _steps);
        var calls = _backend.Calls.Skip(leavesOut ? _firstCalls : 0).ToArray();
        double all = (_watch.Elapsed - (leavesOut ? _firstStep : default)).TotalMilliseconds;
        output.WriteLine(Text($"profile     {_path} opens in chrome://tracing or ui.perfetto.dev"));
        output.WriteLine(Text($"            {steps} {(steps == 1 ? "step" : "steps")}, {all / steps:0.0} ms a step{(leavesOut ? Text($", after a first one of {_firstStep.TotalMilliseconds:0.0} ms that is left out here") : "")}"));
        var table = new TextTable("<call", "calls a step", "ms a step", "share");
        foreach (var group in calls.GroupBy(call => call.Name).OrderByDescending(Total))
            AddRow(group.Key, Text($"{group.Count() / (double)steps:0.#}"), Total(group));
        AddRow("(between calls)", "", all - Total(calls));
        var spans = _backend.Spans;
        foreach (var group in spans.Take(_stepSpans).Skip(leavesOut ? _firstSpans : 0).GroupBy(span => span.Name))
            AddRow($"  of it {group.Key}", "", group.Sum(span => span.Duration.TotalMilliseconds - Total(calls.Where(call => IsIn(call, span)))));
        output.Write(table.ToString("            "));
        var behind = spans.Skip(_stepSpans).GroupBy(span => span.Name).Select(group => Text($"{group.Key} {group.Sum(span => span.Duration.TotalMilliseconds):0.0} ms")).ToArray();
        if (behind.Length > 0)
            output.WriteLine($"            after the epoch: {string.Join(", ", behind)}");

        void AddRow(string name, string count, double total) =>
            table.Add(name, count, Text($"{total / steps:0.000}"), Text($"{total / all * 100:0.0} %"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static double Total(IEnumerable<ProfiledCall> calls) => calls.Sum(call => call.Duration.TotalMilliseconds);

    private static bool IsIn(ProfiledCall call, ProfiledSpan span) =>
        call.Thread == span.Thread && call.Start >= span.Start && call.Start + call.Duration <= span.Start + span.Duration;

    private void Stop()
    {
        if (!_backend.IsPaused)
            _stepSpans = _backend.Spans.Count;
        _backend.IsPaused = true;
        _watch.Stop();
    }

    private sealed class Part(ProfilingBackend backend, string name) : IDisposable
    {
        private readonly long _begin = System.Diagnostics.Stopwatch.GetTimestamp();

        public void Dispose() => backend.AddSpan(name, _begin);
    }
}

/// <summary>Tells a profile of the steps that go by, and hands everything on.</summary>
internal sealed class ProfiledProgress(ITrainingObserver inner, Profile profile) : ITrainingObserver
{
    /// <inheritdoc/>
    public void StepDone(StepProgress progress)
    {
        profile.StepDone(progress.Position.Step == progress.Position.Steps - 1);
        inner.StepDone(progress);
    }

    /// <inheritdoc/>
    public void Evaluating(int done, int total) => inner.Evaluating(done, total);

    /// <inheritdoc/>
    public void EpochDone(EpochMetrics metrics)
    {
        profile.EpochDone();
        inner.EpochDone(metrics);
    }

    /// <inheritdoc/>
    public IDisposable? Begin(string part) => profile.Begin(part);
}
