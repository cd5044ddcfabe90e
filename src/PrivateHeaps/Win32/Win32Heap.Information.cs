using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>HeapQueryInformation and HeapSetInformation. A null buffer that would be read or written is refused with 998.</summary>
internal static unsafe partial class Win32Heap
{
    private const uint OptimizeResourcesVersion = 1;

    // Written once, by HeapEnableTerminationOnCorruption; never taken back.
    private static bool s_stopsOnCorruption;

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

    /// <summary>
    /// Sets the front end, gives free memory back, or has the process end at the next bad free. Tags and unknown classes are accepted and
    /// ignored, as Windows does it.
    /// </summary>
    public static int HeapSetInformation(
        ThreadState* thread,
        nint hHeap,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        void* HeapInformation,
        nuint HeapInformationLength) => HeapInformationClass switch
        {
            HEAP_INFORMATION_CLASS.HeapCompatibilityInformation => SetFrontEnd(hHeap, HeapInformation, HeapInformationLength),
            HEAP_INFORMATION_CLASS.HeapEnableTerminationOnCorruption => EnableTermination(),
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

        uint wanted;
        if (!Os.TryRead(buffer, &wanted, sizeof(uint)))
        {
            return Refuse(Win32Error.NoAccess);
        }

        if (wanted == HeapState.LowFragmentation)
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

    /// <summary>For the whole process, whatever heap is named.</summary>
    private static int EnableTermination()
    {
        Volatile.Write(ref s_stopsOnCorruption, true);
        return True;
    }

    /// <summary>Ends the process over an address that was to be freed and is no block of the heap, if the program has asked for that.</summary>
    private static void StopOnCorruption(ReadOnlySpan<byte> function, nint heap, void* block)
    {
        if (Volatile.Read(ref s_stopsOnCorruption))
        {
            Diagnosis.Stop(function, heap, block);
        }
    }

    /// <summary>A null handle stands for all heaps.</summary>
    private static int OptimizeResources(ThreadState* thread, nint heap, void* buffer, nuint length)
    {
        if (length < (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION))
        {
            return Refuse(Win32Error.InsufficientBuffer);
        }

        HEAP_OPTIMIZE_RESOURCES_INFORMATION request;
        if (!Os.TryRead(buffer, &request, (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION)))
        {
            return Refuse(Win32Error.NoAccess);
        }

        if (request.Version != OptimizeResourcesVersion || request.Flags != 0)
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        nuint returnedBytes = 0;
        return Heap.Trim(thread, heap, &returnedBytes) ? True : Refuse(Win32Error.InvalidHandle);
    }
}
