namespace PrivateHeaps.Checks;

/// <summary>
/// A call on a checked heap has found that the program misused it, now or earlier. The call itself was carried out as far as the finding lets it:
/// a block whose tail was overwritten is freed, an address that is no block is refused. A call before which <see cref="HeapChecks.ValidateOnCall"/>
/// has found something is not made.
/// </summary>
public sealed class HeapCorruptionException : Exception
{
    /// <summary>Creates the exception with a message of its own.</summary>
    public HeapCorruptionException()
        : base("A check of a heap has found that it was misused.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was found, in one sentence.</param>
    public HeapCorruptionException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was found, in one sentence.</param>
    /// <param name="innerException">What led to it.</param>
    public HeapCorruptionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal HeapCorruptionException(HeapFindingEventArgs finding)
        : base(finding.Message) => Finding = finding;

    /// <summary>What was found; null if the exception was not thrown by a heap.</summary>
    public HeapFindingEventArgs? Finding { get; }
}
