/* The Rtl functions: each hands the calling thread's state to the C# function of the same name in Exports.Rtl.cs, or is a heap function under another name. */
#include "shim_raise.h"
#include <ntrtl.h>

PVOID ph_RtlCreateHeap(struct ph_thread *, ULONG, PVOID, SIZE_T, SIZE_T, PVOID, PRTL_HEAP_PARAMETERS);
PVOID RtlCreateHeap(ULONG flags, PVOID base, SIZE_T reserve, SIZE_T commit, PVOID lock, PRTL_HEAP_PARAMETERS parameters)
{
    return ph_RtlCreateHeap(ph_thread, flags, base, reserve, commit, lock, parameters);
}

PVOID ph_RtlDestroyHeap(struct ph_thread *, PVOID);
PVOID RtlDestroyHeap(PVOID heap) { return ph_RtlDestroyHeap(ph_thread, heap); }

PVOID ph_RtlAllocateHeap(struct ph_thread *, PVOID, ULONG, SIZE_T);
PVOID RtlAllocateHeap(PVOID heap, ULONG flags, SIZE_T bytes)
{
    PVOID block = ph_RtlAllocateHeap(ph_thread, heap, flags, bytes);
    return block != NULL ? block : ph_raise_pending(heap, bytes, __builtin_return_address(0));
}

PVOID ph_RtlReAllocateHeap(struct ph_thread *, PVOID, ULONG, PVOID, SIZE_T);
PVOID RtlReAllocateHeap(PVOID heap, ULONG flags, PVOID block, SIZE_T bytes)
{
    PVOID resized = ph_RtlReAllocateHeap(ph_thread, heap, flags, block, bytes);
    return resized != NULL ? resized : ph_raise_pending(heap, bytes, __builtin_return_address(0));
}

LOGICAL RtlFreeHeap(PVOID heap, ULONG flags, PVOID block) { return (LOGICAL)HeapFree(heap, flags, block); }
SIZE_T RtlSizeHeap(PVOID heap, ULONG flags, PVOID block) { return HeapSize(heap, flags, block); }
BOOLEAN RtlValidateHeap(PVOID heap, ULONG flags, PVOID block) { return (BOOLEAN)HeapValidate(heap, flags, block); }
BOOLEAN RtlLockHeap(PVOID heap) { return (BOOLEAN)HeapLock(heap); }
BOOLEAN RtlUnlockHeap(PVOID heap) { return (BOOLEAN)HeapUnlock(heap); }
SIZE_T RtlCompactHeap(PVOID heap, ULONG flags) { return HeapCompact(heap, flags); }
ULONG RtlGetProcessHeaps(ULONG count, PVOID *heaps) { return GetProcessHeaps(count, heaps); }

NTSTATUS ph_RtlWalkHeap(struct ph_thread *, PVOID, PRTL_HEAP_WALK_ENTRY);
NTSTATUS RtlWalkHeap(PVOID heap, PRTL_HEAP_WALK_ENTRY entry) { return ph_RtlWalkHeap(ph_thread, heap, entry); }

NTSTATUS ph_RtlZeroHeap(struct ph_thread *, PVOID, ULONG);
NTSTATUS RtlZeroHeap(PVOID heap, ULONG flags) { return ph_RtlZeroHeap(ph_thread, heap, flags); }

NTSTATUS ph_RtlQueryHeapInformation(struct ph_thread *, PVOID, ULONG, PVOID, SIZE_T, PSIZE_T);
NTSTATUS RtlQueryHeapInformation(PVOID heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T length, PSIZE_T returned)
{
    return ph_RtlQueryHeapInformation(ph_thread, heap, kind, information, length, returned);
}

NTSTATUS ph_RtlSetHeapInformation(struct ph_thread *, PVOID, ULONG, PVOID, SIZE_T);
NTSTATUS RtlSetHeapInformation(PVOID heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T length)
{
    return ph_RtlSetHeapInformation(ph_thread, heap, kind, information, length);
}

BOOLEAN ph_RtlGetUserInfoHeap(struct ph_thread *, PVOID, ULONG, PVOID, PVOID *, PULONG);
BOOLEAN RtlGetUserInfoHeap(PVOID heap, ULONG flags, PVOID block, PVOID *value, PULONG user_flags)
{
    return ph_RtlGetUserInfoHeap(ph_thread, heap, flags, block, value, user_flags);
}

BOOLEAN ph_RtlSetUserValueHeap(struct ph_thread *, PVOID, ULONG, PVOID, PVOID);
BOOLEAN RtlSetUserValueHeap(PVOID heap, ULONG flags, PVOID block, PVOID value) { return ph_RtlSetUserValueHeap(ph_thread, heap, flags, block, value); }

BOOLEAN ph_RtlSetUserFlagsHeap(struct ph_thread *, PVOID, ULONG, PVOID, ULONG, ULONG);
BOOLEAN RtlSetUserFlagsHeap(PVOID heap, ULONG flags, PVOID block, ULONG reset, ULONG set)
{
    return ph_RtlSetUserFlagsHeap(ph_thread, heap, flags, block, reset, set);
}

ULONG ph_RtlMultipleAllocateHeap(struct ph_thread *, PVOID, ULONG, SIZE_T, ULONG, PVOID *);
ULONG RtlMultipleAllocateHeap(PVOID heap, ULONG flags, SIZE_T bytes, ULONG count, PVOID *blocks)
{
    ULONG allocated = ph_RtlMultipleAllocateHeap(ph_thread, heap, flags, bytes, count, blocks);
    if (allocated < count)
        ph_raise_pending(heap, bytes, __builtin_return_address(0));
    return allocated;
}

ULONG ph_RtlMultipleFreeHeap(struct ph_thread *, PVOID, ULONG, ULONG, PVOID *);
ULONG RtlMultipleFreeHeap(PVOID heap, ULONG flags, ULONG count, PVOID *blocks) { return ph_RtlMultipleFreeHeap(ph_thread, heap, flags, count, blocks); }
