using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>The PAGE_ constants of winnt.h: one of eight protections, and what modifies it.</summary>
internal static class PageProtection
{
    public const uint NoAccess = 0x1;
    public const uint ReadOnly = 0x2;
    public const uint ReadWrite = 0x4;
    public const uint WriteCopy = 0x8;
    public const uint Execute = 0x10;
    public const uint ExecuteRead = 0x20;
    public const uint ExecuteReadWrite = 0x40;
    public const uint ExecuteWriteCopy = 0x80;
    public const uint Guard = 0x100;
    public const uint NoCache = 0x200;
    public const uint WriteCombine = 0x400;
    public const uint TargetsInvalid = 0x40000000;

    private const uint Protections = 0xFF;
    private const uint CopyOnWrite = WriteCopy | ExecuteWriteCopy;
    private const uint Executables = Execute | ExecuteRead | ExecuteReadWrite | ExecuteWriteCopy;

    /// <summary>
    /// Whether memory that belongs to one process can have it: exactly one protection that is not copy-on-write, at most one modifier and none
    /// for inaccessible pages. Call targets are for pages that can be executed.
    /// </summary>
    public static bool IsValid(uint protection)
    {
        uint modifier = protection & ~Protections & ~TargetsInvalid;
        bool plain = Bits.IsPowerOfTwo(protection & Protections) && (protection & CopyOnWrite) == 0;
        bool modified = modifier is Guard or NoCache or WriteCombine && (protection & NoAccess) == 0;
        bool targets = (protection & TargetsInvalid) == 0 || (protection & Executables) != 0;
        return plain && (modifier == 0 || modified) && targets;
    }

    /// <summary>What of it is kept and shown: call targets are not checked here.</summary>
    public static uint Kept(uint protection) => protection & ~TargetsInvalid;

    /// <summary>
    /// What the system is asked for; 0, a page that is only reserved, is inaccessible. A guard page is inaccessible too: that it is accessible
    /// after the first access, which raises an exception, would take a signal handler. Memory that can be executed can be read, as on Windows.
    /// </summary>
    public static PageAccess AccessOf(uint protection) => (protection & Guard) != 0 ? PageAccess.None : (protection & Protections) switch
    {
        ReadOnly => PageAccess.Read,
        ReadWrite or WriteCopy => PageAccess.Read | PageAccess.Write,
        Execute or ExecuteRead => PageAccess.Read | PageAccess.Execute,
        ExecuteReadWrite or ExecuteWriteCopy => PageAccess.Read | PageAccess.Write | PageAccess.Execute,
        _ => PageAccess.None,
    };

    /// <summary>The protection of memory that somebody else mapped.</summary>
    public static uint Of(PageAccess access) => access switch
    {
        PageAccess.None => NoAccess,
        PageAccess.Read => ReadOnly,
        PageAccess.Execute => Execute,
        PageAccess.Read | PageAccess.Execute => ExecuteRead,
        _ => (access & PageAccess.Execute) == 0 ? ReadWrite : ExecuteReadWrite,
    };
}
