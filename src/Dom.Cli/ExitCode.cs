namespace Dom.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    /// <summary>Everything that was asked for is done.</summary>
    public const int Done = 0;

    /// <summary>Something failed: data, a file, a device, the training itself.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int WrongUsage = 2;

    /// <summary>Training stopped itself because its network overfits catastrophically (--on-collapse stop); what was done is saved and can be resumed.</summary>
    public const int Collapsed = 3;

    /// <summary>Stopped by a signal (128 + SIGINT); what was done is saved and can be resumed.</summary>
    public const int Interrupted = 130;
}
