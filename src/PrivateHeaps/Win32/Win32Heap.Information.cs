using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>HeapQueryInformation and HeapSetInformation. A null buffer that would be read or written is refused with 998.</summary>
internal static unsafe partial class Win32Heap
{
    private const uint LowFragmentationFrontEnd = 2;
    private const uint OptimizeResourcesVersion = 1;

    /// <summary>Answers the one documented question, the heap's front end; other classes are refused with 87.</summary>
    public static int HeapQueryInformation(
        ThreadState* thread,
        nint hHeap,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        void* HeapInformation,
        nuint HeapInformationLength,
        nuint* ReturnLength)
    {
        if (HeapInformationClass != HEAP_INFORMATION_CLASS.HeapCompatibilityInformation)
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        // Asking a null heap and setting it give different errors; Windows does so too.
        if (hHeap == 0)
        {
            return Refuse(Win32Error.NoAccess);
        }

        if (!Heap.Exists(hHeap))
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        if (ReturnLength != null)
        {
            *ReturnLength = sizeof(uint);
        }

        if (HeapInformationLength < sizeof(uint))
        {
            return Refuse(Win32Error.InsufficientBuffer);
        }

        if (HeapInformation == null)
        {
            return Refuse(Win32Error.NoAccess);
        }

        *(uint*)HeapInformation = Heap.FrontEnd(hHeap);
        return True;
    }

    /// <summary>Sets the front end or gives free memory back. Termination on corruption, tags and unknown classes are accepted as they are.</summary>
    public static int HeapSetInformation(
        ThreadState* thread,
        nint hHeap,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        void* HeapInformation,
        nuint HeapInformationLength) => HeapInformationClass switch
        {
            HEAP_INFORMATION_CLASS.HeapCompatibilityInformation => SetFrontEnd(hHeap, HeapInformation, HeapInformationLength),
            HEAP_INFORMATION_CLASS.HeapOptimizeResources => OptimizeResources(thread, hHeap, HeapInformation, HeapInformationLength),
            _ => True,
        };

    /// <summary>
    /// The low-fragmentation front end can be asked for on growable, serialized heaps, any number of times, and never be left again.
    /// </summary>
    private static int SetFrontEnd(nint heap, void* buffer, nuint length)
    {
        if (!Heap.Exists(heap))
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        if (length < sizeof(uint))
        {
            return Refuse(Win32Error.InsufficientBuffer);
        }

        if (buffer == null)
        {
            return Refuse(Win32Error.NoAccess);
        }

        uint wanted = *(uint*)buffer;
        if (wanted == LowFragmentationFrontEnd)
        {
            if ((Heap.OptionsOf(heap) & HeapFlags.NoSerialize) != 0 || Heap.MaximumOf(heap) != 0)
            {
                return Refuse(Win32Error.InvalidParameter);
            }

            Heap.EnableFrontEnd(heap);
            return True;
        }

        return wanted == 0 && Heap.FrontEnd(heap) == 0 ? True : Refuse(Win32Error.GenFailure);
    }

    /// <summary>A null handle stands for all heaps.</summary>
    private static int OptimizeResources(ThreadState* thread, nint heap, void* buffer, nuint length)
    {
        if (length < (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION))
        {
            return Refuse(Win32Error.InsufficientBuffer);
        }

        if (buffer == null)
        {
            return Refuse(Win32Error.NoAccess);
        }

        HEAP_OPTIMIZE_RESOURCES_INFORMATION* request = (HEAP_OPTIMIZE_RESOURCES_INFORMATION*)buffer;
        if (request->Version != OptimizeResourcesVersion || request->Flags != 0)
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        nuint returnedBytes = 0;
        return Heap.Trim(thread, heap, &returnedBytes) ? True : Refuse(Win32Error.InvalidHandle);
    }
}
