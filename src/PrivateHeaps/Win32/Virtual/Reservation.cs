namespace PrivateHeaps.Win32;

/// <summary>
/// A range that VirtualAlloc reserved: a chain of <see cref="PageRun"/>s that covers it, or a window for frames (MEM_PHYSICAL). Guarded by
/// the lock of <see cref="Reservations"/>.
/// </summary>
internal unsafe struct Reservation
{
    public byte* Start;
    public byte* End;

    /// <summary>The protection that was given when it was reserved.</summary>
    public uint Protection;

    /// <summary>The run at <see cref="Start"/>; null in a window.</summary>
    public PageRun* Runs;

    /// <summary>The run where the last search ended, near which the next one mostly begins; null before the first search.</summary>
    public PageRun* Recent;

    /// <summary>In a window, for each page the number of the frame that is mapped there, or 0; null in other reservations.</summary>
    public nuint* Frames;

    /// <summary>Numbers in <see cref="Frames"/> that are not 0.</summary>
    public nuint MappedCount;

    public readonly nuint Bytes => (nuint)(End - Start);

    public readonly bool IsWindow => Frames != null;

    public readonly bool Contains(in PageRange range) => range.Start >= Start && range.End <= End;
}
