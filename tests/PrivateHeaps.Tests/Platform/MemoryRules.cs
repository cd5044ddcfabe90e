namespace PrivateHeaps.Tests.Platform;

/// <summary>By which rules memory is handed out in a test process.</summary>
internal enum MemoryRules
{
    OfThisSystem,

    /// <summary>Commits are charged and explicit, decommitted pages are inaccessible, reservations are released whole, nothing can be moved.</summary>
    OfWindows,

    /// <summary>The system's pages have 16 KiB, nothing can be moved.</summary>
    OfMacOs,
}
