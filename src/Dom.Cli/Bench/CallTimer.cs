using Dom.Tensors.Backend;
using Dom.Train.Measurement;

namespace Dom.Cli.Bench;

/// <summary>
/// Times every kind of kernel call of a step where it stands: the first call of a kind and size is repeated on the operands it came with, the others are counted.
/// </summary>
/// <remarks>
/// Timing each call by its own clock would measure, on a device that queues calls, little but the waiting for the queue. Repeating it later would need the memory that
/// it named: a tensor's block goes to the next tensor as soon as it is free, and a list of indices that was overwritten sends a kernel anywhere. Here all operands are
/// alive. What updates its operand leaves other numbers than an undisturbed step would, so the network is of no use afterwards; losses are finite, for they are
/// computed before gradients are summed and parameters moved.
/// </remarks>
/// <param name="inner">Runs the calls.</param>
/// <param name="secondsPerRound">How long a round of repetitions lasts at least.</param>
internal sealed class CallTimer(IBackend inner, double secondsPerRound) : DecoratingBackend(inner)
{
    private readonly Dictionary<(string, string), TimedCall> _calls = [];

    /// <summary>While true, calls are timed; otherwise they are handed on.</summary>
    public bool IsTiming { get; set; }

    /// <summary>The calls so far, those that take most of a step first.</summary>
    public IReadOnlyList<TimedCall> Calls => [.. _calls.Values.OrderByDescending(call => call.Count * call.Seconds)];

    /// <summary>Never: a repetition is timed as a launch of its own.</summary>
    public override IDisposable? QueueTogether() => null;

    /// <inheritdoc/>
    public override void Run<TCall>(in TCall call)
    {
        NextCall();
        Inner.Run(in call);
        if (!IsTiming)
            return;
        var work = CallWork.Of(in call);
        var key = (work.Call, work.Sizes);
        if (_calls.TryGetValue(key, out var known))
        {
            _calls[key] = known with { Count = known.Count + 1 };
            return;
        }
        var again = call;
        _calls.Add(key, new TimedCall(work, 1, Durations.MeasureQueued(Inner, () => Inner.Run(in again), secondsPerRound).Median));
    }
}

/// <summary>A kind of call.</summary>
/// <param name="Work">What each has to do.</param>
/// <param name="Count">How many there are in a step.</param>
/// <param name="Seconds">What one takes.</param>
internal sealed record TimedCall(CallWork Work, int Count, double Seconds);
