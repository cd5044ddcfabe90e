using System.Runtime.CompilerServices;

namespace PrivateHeaps.Win32;

/// <summary>
/// Address Windowing Extensions. Frames are zeroed pages of memory with opaque numbers. They keep their contents while they are mapped
/// nowhere, and can be mapped at any page of any window that <see cref="VirtualAlloc(void*, nuint, uint, uint)"/> reserved with
/// <see cref="MEM_PHYSICAL"/>; each at one page at most. They take memory from when they are allocated, and no privilege.
/// A child of fork shares its parent's frames where they are mapped, until it calls one of these functions; it has none of its own.
/// </summary>
public static unsafe partial class MemoryApi
{
    /// <summary>Allocates frames.</summary>
    /// <param name="hProcess">What <see cref="ProcessThreadsApi.GetCurrentProcess"/> returns.</param>
    /// <param name="NumberOfPages">How many; set to how many were allocated, which may be fewer.</param>
    /// <param name="PageArray">Where their numbers are stored.</param>
    /// <returns>
    /// False with last error 6 for another process, 998 for null, 1450 if there is no memory even for one. No frame is allocated then.
    /// </returns>
    public static bool AllocateUserPhysicalPages(nint hProcess, nuint* NumberOfPages, nuint* PageArray)
    {
        LinuxOnly.Require();
        return Win32PhysicalPages.AllocateUserPhysicalPages(hProcess, NumberOfPages, PageArray) != 0;
    }

    /// <inheritdoc cref="AllocateUserPhysicalPages(nint, nuint*, nuint*)"/>
    /// <exception cref="ArgumentException">The array has fewer elements than <paramref name="NumberOfPages"/>.</exception>
    public static bool AllocateUserPhysicalPages(nint hProcess, ref nuint NumberOfPages, nuint[] PageArray)
    {
        RequireElements(PageArray, NumberOfPages);
        fixed (nuint* count = &NumberOfPages, numbers = PageArray)
        {
            return AllocateUserPhysicalPages(hProcess, count, numbers);
        }
    }

    /// <summary>Frees frames, and unmaps those that are mapped.</summary>
    /// <param name="hProcess">What <see cref="ProcessThreadsApi.GetCurrentProcess"/> returns.</param>
    /// <param name="NumberOfPages">How many. On failure it is set to how many were freed.</param>
    /// <param name="PageArray">Their numbers; they are freed in this order.</param>
    /// <returns>False with last error 87 if the next number is not that of an allocated frame, 6 for another process, 998 for null.</returns>
    public static bool FreeUserPhysicalPages(nint hProcess, nuint* NumberOfPages, nuint* PageArray)
    {
        LinuxOnly.Require();
        return Win32PhysicalPages.FreeUserPhysicalPages(hProcess, NumberOfPages, PageArray) != 0;
    }

    /// <inheritdoc cref="FreeUserPhysicalPages(nint, nuint*, nuint*)"/>
    /// <exception cref="ArgumentException">The array has fewer elements than <paramref name="NumberOfPages"/>.</exception>
    public static bool FreeUserPhysicalPages(nint hProcess, ref nuint NumberOfPages, nuint[] PageArray)
    {
        RequireElements(PageArray, NumberOfPages);
        fixed (nuint* count = &NumberOfPages, numbers = PageArray)
        {
            return FreeUserPhysicalPages(hProcess, count, numbers);
        }
    }

    /// <summary>Maps frames one behind the other, in the place of what is mapped there; those become unmapped and stay allocated.</summary>
    /// <param name="VirtualAddress">An address in the first page, in a window.</param>
    /// <param name="NumberOfPages">How many pages; all must lie in the window.</param>
    /// <param name="PageArray">The frames' numbers; null only unmaps.</param>
    /// <returns>
    /// False, and nothing changed, with last error 87 if the pages are not in one window, a number is not that of an allocated frame, or a frame is
    /// mapped already; 998 if the numbers cannot be read; 8 if the system refuses, for instance because there are too many mappings.
    /// </returns>
    public static bool MapUserPhysicalPages(void* VirtualAddress, nuint NumberOfPages, nuint* PageArray)
    {
        LinuxOnly.Require();
        return Win32PhysicalPages.MapUserPhysicalPages(VirtualAddress, NumberOfPages, PageArray) != 0;
    }

    /// <inheritdoc cref="MapUserPhysicalPages(void*, nuint, nuint*)"/>
    /// <exception cref="ArgumentException">The array has fewer elements than <paramref name="NumberOfPages"/>.</exception>
    public static bool MapUserPhysicalPages(nint VirtualAddress, nuint NumberOfPages, nuint[]? PageArray)
    {
        RequireElements(PageArray, NumberOfPages);
        fixed (nuint* numbers = PageArray)
        {
            return MapUserPhysicalPages((void*)VirtualAddress, NumberOfPages, numbers);
        }
    }

    /// <summary>As <see cref="MapUserPhysicalPages(void*, nuint, nuint*)"/>, with an address for each page.</summary>
    /// <param name="VirtualAddresses">Addresses in windows, not necessarily in one.</param>
    /// <param name="NumberOfPages">How many.</param>
    /// <param name="PageArray">For each address the number of a frame, or 0 to unmap the page; null unmaps all.</param>
    /// <returns>As there.</returns>
    public static bool MapUserPhysicalPagesScatter(void** VirtualAddresses, nuint NumberOfPages, nuint* PageArray)
    {
        LinuxOnly.Require();
        return Win32PhysicalPages.MapUserPhysicalPagesScatter(VirtualAddresses, NumberOfPages, PageArray) != 0;
    }

    /// <inheritdoc cref="MapUserPhysicalPagesScatter(void**, nuint, nuint*)"/>
    /// <exception cref="ArgumentException">An array has fewer elements than <paramref name="NumberOfPages"/>.</exception>
    public static bool MapUserPhysicalPagesScatter(nint[] VirtualAddresses, nuint NumberOfPages, nuint[]? PageArray)
    {
        RequireElements(VirtualAddresses, NumberOfPages);
        RequireElements(PageArray, NumberOfPages);
        fixed (nint* addresses = VirtualAddresses)
        fixed (nuint* numbers = PageArray)
        {
            return MapUserPhysicalPagesScatter((void**)addresses, NumberOfPages, numbers);
        }
    }

    private static void RequireElements<T>(T[]? array, nuint count, [CallerArgumentExpression(nameof(array))] string? name = null)
    {
        if (array is not null && (nuint)array.Length < count)
        {
            throw new ArgumentException($"The array has {array.Length} elements, but the call asks for {count}.", name);
        }
    }
}
