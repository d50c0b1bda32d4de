namespace Dom.Tensors;

/// <summary>Shapes do not fit together; the message names the operator, what came, and what would be right.</summary>
public sealed class ShapeException : ArgumentException
{
    /// <summary>An error with its message.</summary>
    public ShapeException(string message) : base(message) { }

    /// <summary>An error with its message and cause.</summary>
    public ShapeException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public ShapeException() { }
}

/// <summary>A backend cannot do what was asked: no such kernel, element type, device or memory.</summary>
public class DeviceException : Exception
{
    /// <summary>An error with its message.</summary>
    public DeviceException(string message) : base(message) { }

    /// <summary>An error with its message and cause.</summary>
    public DeviceException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public DeviceException() { }
}

/// <summary>The memory of a device is used up, also after what was kept for reuse had been given back.</summary>
public sealed class DeviceMemoryException : DeviceException
{
    /// <summary>An error with its message.</summary>
    /// <param name="message">Who asked for how much, and who has the rest.</param>
    /// <param name="capacity">Bytes that the device had given until then.</param>
    public DeviceMemoryException(string message, long capacity) : base(message) => Capacity = capacity;

    /// <summary>An error with its message and cause.</summary>
    public DeviceMemoryException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error with its message.</summary>
    public DeviceMemoryException(string message) : base(message) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public DeviceMemoryException() { }

    /// <summary>Bytes that the device had given until then: at least so much it has.</summary>
    public long Capacity { get; }
}
