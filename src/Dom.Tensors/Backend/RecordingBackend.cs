namespace Dom.Tensors.Backend;

/// <summary>Keeps a list of the calls that ran: for golden traces, for tests that count kernels, and to replay a step.</summary>
public sealed class RecordingBackend(IBackend inner) : DecoratingBackend(inner)
{
    private readonly Lock _lock = new();
    private readonly List<RecordedCall> _calls = [];

    /// <summary>The calls since the start or the last <see cref="Clear"/>, in order.</summary>
    public IReadOnlyList<RecordedCall> Calls
    {
        get
        {
            lock (_lock)
                return _calls.ToArray();
        }
    }

    /// <summary>Forgets the calls so far.</summary>
    public void Clear()
    {
        lock (_lock)
            _calls.Clear();
    }

    /// <summary>Runs the call; it is listed once the inner backend has accepted it.</summary>
    public override void Run<TCall>(in TCall call)
    {
        NextCall();
        Inner.Run(in call);
        var recorded = new RecordedCall<TCall>(call);
        lock (_lock)
            _calls.Add(recorded);
    }
}

/// <summary>A call that ran.</summary>
public abstract class RecordedCall
{
    /// <summary>The call's type.</summary>
    public abstract Type Type { get; }

    /// <summary>"Conv2dForward".</summary>
    public string Name => Type.Name;

    /// <summary>The arguments without addresses: "X=f32[128], Y=f32[128], Rows=64".</summary>
    public abstract string Arguments { get; }

    /// <summary>The views, addresses and all, in the order of the call's parameters.</summary>
    public abstract IReadOnlyList<View> Views { get; }

    /// <summary>Runs the call once more, on the memory it named.</summary>
    public abstract void Replay(IBackend backend);

    /// <summary>"Conv2dForward(X=f32[128], ...)".</summary>
    public override string ToString() => $"{Name}({Arguments})";
}

internal sealed class RecordedCall<TCall>(TCall call) : RecordedCall where TCall : struct, IKernelCall
{
    private readonly TCall _call = call;

    public override Type Type => typeof(TCall);

    public override string Arguments => KernelCallLayout.Of<TCall>().Describe(in _call);

    public override IReadOnlyList<View> Views => KernelCallLayout.Of<TCall>().ViewsOf(in _call);

    public override void Replay(IBackend backend) => backend.Run(in _call);
}
