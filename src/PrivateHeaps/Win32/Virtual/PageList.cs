using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Win32;

/// <summary>
/// Pages of windows, and for each the number of a frame, or 0: copied from the caller's arrays, which may not be there and may change. Either
/// the pages are neighbors, or each has an address of its own.
/// </summary>
internal unsafe struct PageList
{
    /// <summary>Elements of a <see cref="Space"/>.</summary>
    public const int ShortCount = 256;

    public nuint Count;
    public nuint* Numbers;

    private byte* _start;
    private nuint* _addresses;
    private void* _mapping;
    private nuint _mappingBytes;

    public readonly bool IsScattered => _addresses != null;

    public readonly byte* Page(nuint index) => _addresses == null
        ? _start + (index * LinuxPages.PageBytes)
        : (byte*)Bits.RoundDown(_addresses[index], LinuxPages.PageBytes);

    /// <summary>
    /// Neighboring pages from an address on. No numbers (null) make zeros. Returns an error, or 0 when the list is to be dropped later.
    /// </summary>
    public uint Fill(Space* space, byte* start, nuint* numbers, nuint count)
    {
        _start = (byte*)Bits.RoundDown((nuint)start, LinuxPages.PageBytes);
        return Fill(space, (nuint*)null, numbers, count);
    }

    /// <summary>As above, for pages with addresses of their own; null addresses stand for neighbors.</summary>
    public uint Fill(Space* space, nuint* addresses, nuint* numbers, nuint count)
    {
        nuint arrays = addresses == null ? 1u : 2u;
        if (count > LinuxPages.EndOfAddresses / LinuxPages.PageBytes)
        {
            return Win32Error.InvalidParameter;
        }

        if (count * arrays > ShortCount)
        {
            _mappingBytes = count * arrays * (nuint)sizeof(nuint);
            _mapping = GuardPages.Map(_mappingBytes);
            if (_mapping == null)
            {
                return Win32Error.NotEnoughMemory;
            }
        }

        Count = count;
        Numbers = _mapping == null ? (nuint*)space : (nuint*)_mapping;
        _addresses = addresses == null ? null : Numbers + count;
        if (numbers == null && _mapping == null)
        {
            Os.Clear(Numbers, count * (nuint)sizeof(nuint));
        }

        if ((numbers != null && !TryCopy(numbers, Numbers, count)) || (addresses != null && !TryCopy(addresses, _addresses, count)))
        {
            Drop();
            return Win32Error.NoAccess;
        }

        return Win32Error.NoError;
    }

    public readonly void Drop()
    {
        if (_mapping != null)
        {
            GuardPages.Release(_mapping, _mappingBytes);
        }
    }

    /// <summary>In pieces that can be read where the system offers no better way than a pipe.</summary>
    private static bool TryCopy(nuint* from, nuint* to, nuint count)
    {
        bool read = true;
        for (nuint done = 0; read && done < count; done += ShortCount)
        {
            read = Os.TryRead(from + done, to + done, Bits.Min(count - done, ShortCount) * (nuint)sizeof(nuint));
        }

        return read;
    }

    /// <summary>Where a short list lies, on the stack of who makes it. Not stackalloc, whose checks need a runtime.</summary>
    [InlineArray(ShortCount)]
    public struct Space
    {
        private nuint _first;
    }
}
