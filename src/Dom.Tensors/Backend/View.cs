using System.Runtime.InteropServices;

namespace Dom.Tensors.Backend;

/// <summary>What a kernel may do with the memory behind a <see cref="View"/>.</summary>
public enum Access : short
{
    /// <summary>Only read it.</summary>
    Read = 0,

    /// <summary>Write every element, whatever was there before.</summary>
    Write = 1,

    /// <summary>Update it.</summary>
    ReadWrite = 2,
}

/// <summary>
/// A run of elements in a backend's memory, as a kernel sees it. Blittable, 16 bytes: it is part of the parameter block that a
/// CUDA kernel receives. An empty view (<see cref="None"/>) stands for an optional argument that is not there.
/// </summary>
/// <param name="Address">Address in the memory of the backend; 0 if there is none.</param>
/// <param name="Length">Number of elements.</param>
/// <param name="Type">How an element is stored.</param>
/// <param name="Access">What the kernel does with it; decorators rely on it.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct View(nint Address, int Length, DType Type, Access Access)
{
    /// <summary>The argument that is not there.</summary>
    public static View None => default;

    /// <summary>Whether there is no memory behind the view.</summary>
    public bool IsNone => Address == 0;

    /// <summary>Bytes that the view spans.</summary>
    public long Bytes => (long)Length * Type.Size();

    /// <summary>"f32[128]".</summary>
    public override string ToString() => IsNone ? "none" : $"{Type.ToString().ToLowerInvariant()}[{Length}]";
}
