using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>What HeapQueryInformation and HeapSetInformation forward to. A null buffer that would be written, and any that cannot be read, is an access violation.</summary>
internal static unsafe partial class RtlHeap
{
    private const uint OptimizeResourcesVersion = 1;

    // Written once, by HeapEnableTerminationOnCorruption; never taken back.
    private static bool s_stopsOnCorruption;

    /// <summary>Answers the one documented question, the heap's front end; other classes are refused.</summary>
    public static uint QueryInformation(ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length, nuint* returnLength)
    {
        if (kind != HEAP_INFORMATION_CLASS.HeapCompatibilityInformation)
        {
            return NtStatus.InvalidInfoClass;
        }

        // Asking a null heap and setting it give different errors; Windows does so too.
        if (heap == 0)
        {
            return NtStatus.AccessViolation;
        }

        if (!Heap.Exists(heap))
        {
            return NtStatus.InvalidHandle;
        }

        if (returnLength != null)
        {
            *returnLength = sizeof(uint);
        }

        if (length < sizeof(uint))
        {
            return NtStatus.BufferTooSmall;
        }

        if (buffer == null)
        {
            return NtStatus.AccessViolation;
        }

        *(uint*)buffer = Heap.FrontEnd(heap);
        return NtStatus.Success;
    }

    /// <summary>
    /// Sets the front end, gives free memory back, or has the process end at the next bad free. Tags and unknown classes are accepted and
    /// ignored, as Windows does it.
    /// </summary>
    public static uint SetInformation(ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length) => kind switch
    {
        HEAP_INFORMATION_CLASS.HeapCompatibilityInformation => SetFrontEnd(heap, buffer, length),
        HEAP_INFORMATION_CLASS.HeapEnableTerminationOnCorruption => EnableTermination(),
        HEAP_INFORMATION_CLASS.HeapOptimizeResources => OptimizeResources(thread, heap, buffer, length),
        _ => NtStatus.Success,
    };

    /// <summary>Ends the process over an address that was to be freed and is no block of the heap, if the program has asked for that.</summary>
    public static void StopOnCorruption(ReadOnlySpan<byte> function, nint heap, void* block)
    {
        if (Shared.Read(ref s_stopsOnCorruption))
        {
            Diagnosis.Stop(function, heap, block);
        }
    }

    /// <summary>
    /// The low-fragmentation front end can be asked for on growable, serialized heaps, any number of times, and never be left again.
    /// </summary>
    private static uint SetFrontEnd(nint heap, void* buffer, nuint length)
    {
        if (!Heap.Exists(heap))
        {
            return NtStatus.InvalidHandle;
        }

        if (length < sizeof(uint))
        {
            return NtStatus.BufferTooSmall;
        }

        uint wanted;
        if (!Os.TryRead(buffer, &wanted, sizeof(uint)))
        {
            return NtStatus.AccessViolation;
        }

        if (wanted == HeapState.LowFragmentation)
        {
            if ((Heap.OptionsOf(heap) & HeapFlags.NoSerialize) != 0 || Heap.MaximumOf(heap) != 0)
            {
                return NtStatus.InvalidParameter;
            }

            Heap.EnableFrontEnd(heap);
            return NtStatus.Success;
        }

        return wanted == 0 && Heap.FrontEnd(heap) == 0 ? NtStatus.Success : NtStatus.Unsuccessful;
    }

    /// <summary>For the whole process, whatever heap is named.</summary>
    private static uint EnableTermination()
    {
        Shared.Write(ref s_stopsOnCorruption, true);
        return NtStatus.Success;
    }

    /// <summary>A null handle stands for all heaps.</summary>
    private static uint OptimizeResources(ThreadState* thread, nint heap, void* buffer, nuint length)
    {
        if (length < (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION))
        {
            return NtStatus.BufferTooSmall;
        }

        HEAP_OPTIMIZE_RESOURCES_INFORMATION request;
        if (!Os.TryRead(buffer, &request, (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION)))
        {
            return NtStatus.AccessViolation;
        }

        if (request.Version != OptimizeResourcesVersion || request.Flags != 0)
        {
            return NtStatus.InvalidParameter;
        }

        nuint returnedBytes = 0;
        return Heap.Trim(thread, heap, &returnedBytes) ? NtStatus.Success : NtStatus.InvalidHandle;
    }
}
