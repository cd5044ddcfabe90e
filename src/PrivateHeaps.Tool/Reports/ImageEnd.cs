namespace PrivateHeaps.Tool.Reports;

/// <summary>How a process image ended.</summary>
internal enum ImageEnd
{
    /// <summary>A signal ended it, or nothing is known of its end.</summary>
    Killed,

    /// <summary>It called exit or _exit.</summary>
    Exited,

    /// <summary>It made way for another image by exec.</summary>
    Replaced,

    /// <summary>It had not ended when the report was made.</summary>
    Running,
}
