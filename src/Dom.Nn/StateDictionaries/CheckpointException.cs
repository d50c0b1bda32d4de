namespace Dom.Nn.StateDictionaries;

/// <summary>
/// A checkpoint, weight or ledger file cannot be used; the message says which file, what was expected, what came, and
/// what to do. It can be printed alone.
/// </summary>
public sealed class CheckpointException : Exception
{
    /// <summary>An error with a message for the user.</summary>
    public CheckpointException(string message) : base(message) { }

    /// <summary>An error with a message for the user and its cause.</summary>
    public CheckpointException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public CheckpointException() { }
}
