namespace Dom.Tensors.Backend;

/// <summary>
/// Looks at everything that a call wrote and stops at the first NaN or infinity: says where a loss that became NaN came from. Slow: every result
/// is copied to the host.
/// </summary>
public sealed class NanTrapBackend(IBackend inner) : DecoratingBackend(inner)
{
    /// <summary>Runs the call and looks at its results.</summary>
    /// <exception cref="NanException">A result is NaN or infinite.</exception>
    public override void Run<TCall>(in TCall call)
    {
        int number = NextCall();
        var layout = KernelCallLayout.Of<TCall>();
        var views = layout.ViewsOf(in call);
        // An input that the call overwrites must be looked at before, the others only if there is something to explain.
        var suspects = Enumerable.Range(0, views.Length)
            .Where(i => IsRead(views[i]) && IsOverwritten(views[i], views) && FirstBad(views[i]) is not null).ToHashSet();
        Inner.Run(in call);
        for (int i = 0; i < views.Length; i++)
        {
            if (!IsWritten(views[i]) || FirstBad(views[i]) is not var (at, value))
                continue;
            var sources = Enumerable.Range(0, views.Length)
                .Where(j => suspects.Contains(j) || (IsRead(views[j]) && !IsOverwritten(views[j], views) && FirstBad(views[j]) is not null))
                .Select(j => layout.Views[j].Name).ToArray();
            throw new NanException(
                typeof(TCall).Name, number, layout.Views[i].Name, at,
                $"{Name}: call {number}, {typeof(TCall).Name}({layout.Describe(in call)}), wrote {value} to {layout.Views[i].Name}, element {at}; " +
                (sources.Length == 0 ? "all its inputs were finite." : $"NaN or infinity was already in {string.Join(", ", sources)}."));
        }
    }

    private static bool IsRead(View view) => !view.IsNone && view.Type.IsFloat() && view.Access != Access.Write;

    private static bool IsWritten(View view) => !view.IsNone && view.Type.IsFloat() && view.Access != Access.Read;

    private static bool IsOverwritten(View view, View[] views) => view.Access == Access.ReadWrite || views.Any(other =>
        IsWritten(other) && other.Address < view.Address + view.Bytes && view.Address < other.Address + other.Bytes);

    private (int At, double Value)? FirstBad(View view)
    {
        var values = ElementsOf(Inner, view);
        int at = HostElements.FirstNotFinite(values);
        return at < 0 ? null : (at, values[at]);
    }
}

/// <summary>A kernel wrote a NaN or an infinity.</summary>
public sealed class NanException : DeviceException
{
    /// <summary>An error with all that is known.</summary>
    /// <param name="call">Name of the call.</param>
    /// <param name="number">Its number, 1 for the first call of the backend.</param>
    /// <param name="argument">The argument that was written.</param>
    /// <param name="element">Index of the first bad element.</param>
    /// <param name="message">All of it in words.</param>
    public NanException(string call, int number, string argument, int element, string message) : base(message) =>
        (Call, Number, Argument, Element) = (call, number, argument, element);

    /// <summary>An error with its message.</summary>
    public NanException(string message) : base(message) { }

    /// <summary>An error with its message and cause.</summary>
    public NanException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public NanException() { }

    /// <summary>Name of the call.</summary>
    public string Call { get; } = "";

    /// <summary>Number of the call, 1 for the first one of the backend.</summary>
    public int Number { get; }

    /// <summary>The argument that was written.</summary>
    public string Argument { get; } = "";

    /// <summary>Index of the first bad element.</summary>
    public int Element { get; }
}
