using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>Walks, for both layers: the engine's entries, and the statuses of a walk that cannot go on.</summary>
internal static unsafe partial class RtlHeap
{
    private const ushort BusyFlag = 0x1, SegmentFlag = 0x2, SettableFlag = 0x10, UncommittedFlag = 0x1000, LargeFlag = 0x4000;

    // 0x200 of a block's flags stands as 0x20 in an entry.
    private const int UserFlagsShift = 4;

    /// <summary>Goes one entry on. The entry alone says where: nothing is remembered between calls, and a refused call leaves it as it was.</summary>
    public static uint Walk(ThreadState* thread, nint heap, RTL_HEAP_WALK_ENTRY* walked)
    {
        WalkEntry entry = default;
        if (walked != null)
        {
            entry.Address = (byte*)walked->DataAddress;
            entry.Kind = KindOf(walked);
        }

        uint status = Next(thread, heap, walked, &entry);
        if (status == NtStatus.Success)
        {
            Describe(thread, heap, &entry, walked);
        }

        return status;
    }

    /// <summary>The entry after the given one; caller: the structure that both layers check for null.</summary>
    public static uint Next(ThreadState* thread, nint heap, void* caller, WalkEntry* entry)
    {
        if (caller == null)
        {
            return NtStatus.InvalidParameter;
        }

        if (heap == 0)
        {
            return NtStatus.InvalidHandle;
        }

        if (Heap.Walk(thread, heap, entry))
        {
            return NtStatus.Success;
        }

        return Threads.Attach(thread)->Failure switch
        {
            HeapFailure.NoMoreEntries => NtStatus.NoMoreEntries,
            HeapFailure.BadHandle => NtStatus.InvalidHandle,
            _ => NtStatus.InvalidParameter,
        };
    }

    private static WalkKind KindOf(RTL_HEAP_WALK_ENTRY* entry)
    {
        if (entry->DataAddress == 0)
        {
            return WalkKind.Start;
        }

        if ((entry->Flags & SegmentFlag) != 0)
        {
            return WalkKind.Region;
        }

        if ((entry->Flags & UncommittedFlag) != 0)
        {
            return WalkKind.Uncommitted;
        }

        return (entry->Flags & BusyFlag) == 0 ? WalkKind.FreeBlock : WalkKind.BusyBlock;
    }

    private static void Describe(ThreadState* thread, nint heap, WalkEntry* from, RTL_HEAP_WALK_ENTRY* to)
    {
        *to = default;
        to->DataAddress = (nint)from->Address;
        to->DataSize = from->Bytes;
        to->OverheadBytes = (byte)(from->OverheadBytes < byte.MaxValue ? from->OverheadBytes : byte.MaxValue);
        to->SegmentIndex = ProcessHeapFlags.IndexOf(from);
        switch (from->Kind)
        {
            case WalkKind.Region:
                to->Flags = SegmentFlag;
                RTL_HEAP_WALK_ENTRY.SEGMENT_DATA segment = default;
                segment.CommittedSize = (uint)from->CommittedBytes;
                segment.UnCommittedSize = (uint)from->UncommittedBytes;
                segment.FirstEntry = (nint)from->FirstBlock;
                segment.LastEntry = (nint)from->RegionEnd;
                to->Segment = segment;
                break;
            case WalkKind.Uncommitted:
                to->Flags = UncommittedFlag;
                break;
            case WalkKind.BusyBlock or WalkKind.LargeBlock:
                to->Flags = from->Kind == WalkKind.LargeBlock ? (ushort)(BusyFlag | LargeFlag) : BusyFlag;
                DescribeUserInfo(thread, heap, from, to);
                break;
        }
    }

    private static void DescribeUserInfo(ThreadState* thread, nint heap, WalkEntry* from, RTL_HEAP_WALK_ENTRY* to)
    {
        UserInfo info = default;
        if (Heap.AccessUserInfo(thread, heap, 0, from->Address, &info, write: false) && info.IsSettable)
        {
            to->Flags |= (ushort)(SettableFlag | (info.Flags >> UserFlagsShift));
            RTL_HEAP_WALK_ENTRY.BLOCK_DATA block = default;
            block.Settable = (nuint)info.Value;
            to->Block = block;
        }
    }
}
