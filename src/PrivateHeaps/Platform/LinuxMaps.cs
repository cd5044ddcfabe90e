using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// What is mapped where, from /proc/self/maps. Other threads may map and unmap meanwhile: the answer is one that was true at some moment
/// for each line.
/// </summary>
internal static class LinuxMaps
{
    /// <summary>The range around an address, mapped or free; false when the system does not tell.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool TryFind(nuint address, out MappedRange range)
    {
        range = default;
        range.End = LinuxPages.EndOfAddresses;
        Unsafe.SkipInit(out LinuxText text);
        if (!text.Open("/proc/self/maps\0"u8))
        {
            return false;
        }

        MappedRange previous = default;
        while (TryReadLine(ref text, in previous, out MappedRange line))
        {
            if (range.IsMapped)
            {
                // The kernel keeps apart what differs in things that do not matter here.
                if (line.AllocationStart != range.AllocationStart || line.Access != range.Access)
                {
                    break;
                }

                range.End = line.End;
            }
            else if (address < line.Start)
            {
                range.End = line.Start < range.End ? line.Start : range.End;
                break;
            }
            else if (address < line.End)
            {
                range = line;
            }
            else
            {
                range.Start = line.End;
            }

            previous = line;
        }

        text.Close();
        return true;
    }

    // 7f0000001000-7f0000002000 r-xp 00001000 fd:01 1234 /usr/lib/libc.so.6
    private static bool TryReadLine(ref LinuxText text, in MappedRange previous, out MappedRange line)
    {
        line = default;
        line.Start = (nuint)text.Number(16);
        text.Next();
        line.End = (nuint)text.Number(16);
        text.Next();
        line.IsMapped = line.End != 0;
        line.Access = (text.Next() == (byte)'r' ? PageAccess.Read : 0) | (text.Next() == (byte)'w' ? PageAccess.Write : 0)
            | (text.Next() == (byte)'x' ? PageAccess.Execute : 0);
        line.IsShared = text.Next() == (byte)'s';
        text.Number(16);
        line.Device = text.Number(16) << 32;
        text.Next();
        line.Device |= text.Number(16);
        line.File = text.Number(10);
        text.SkipLine();
        bool continues = line.File != 0 && line.File == previous.File && line.Device == previous.Device && line.Start == previous.End;
        line.AllocationStart = continues ? previous.AllocationStart : line.Start;
        return line.IsMapped;
    }
}
