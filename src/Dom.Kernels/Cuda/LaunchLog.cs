using System.Collections.Concurrent;

namespace Dom.Kernels.Cuda;

/// <summary>The kernels that were launched last, for error messages: two stores a launch.</summary>
internal sealed class LaunchLog
{
    private const int Length = 8;

    private readonly ConcurrentDictionary<nint, string> _names = [];
    private readonly nint[] _last = new nint[Length];
    private long _count;

    /// <summary>Whether nothing was launched yet.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Notes what a kernel is called.</summary>
    public void Name(nint kernel, string name) => _names[kernel] = name;

    /// <summary>Notes a launch.</summary>
    public void Add(nint kernel) => _last[_count++ % Length] = kernel;

    /// <summary>The kernel's name.</summary>
    public string NameOf(nint kernel) => _names.GetValueOrDefault(kernel, "an unknown kernel");

    /// <summary>"relu_forward_f32, fill_f32", the newest first.</summary>
    public override string ToString() => string.Join(", ", Enumerable.Range(1, (int)Math.Min(_count, Length)).Select(back => NameOf(_last[(_count - back) % Length])));
}
