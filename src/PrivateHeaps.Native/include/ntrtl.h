/* The heap functions of ntdll, by PrivateHeaps, over the same heaps as heapapi.h: a handle of one is a handle of the other.
 * Statuses: STATUS_SUCCESS or one of the codes of windef.h. */
#ifndef PRIVATEHEAPS_NTRTL_H
#define PRIVATEHEAPS_NTRTL_H

#include <heapapi.h>

/* For RtlAllocateHeap: a value, and flags, can be attached to the block, which then takes whole pages. */
#define HEAP_SETTABLE_USER_VALUE 0x00000100
#define HEAP_SETTABLE_USER_FLAG1 0x00000200
#define HEAP_SETTABLE_USER_FLAG2 0x00000400
#define HEAP_SETTABLE_USER_FLAG3 0x00000800
#define HEAP_SETTABLE_USER_FLAGS 0x00000E00

/* Flags of RTL_HEAP_WALK_ENTRY. */
#define RTL_HEAP_BUSY 0x0001
#define RTL_HEAP_SEGMENT 0x0002
#define RTL_HEAP_SETTABLE_VALUE 0x0010
#define RTL_HEAP_SETTABLE_FLAG1 0x0020
#define RTL_HEAP_SETTABLE_FLAG2 0x0040
#define RTL_HEAP_SETTABLE_FLAG3 0x0080
#define RTL_HEAP_UNCOMMITTED_RANGE 0x1000

/* More wishes of RtlCreateHeap; of the sizes only the two initial ones are used. */
typedef struct _RTL_HEAP_PARAMETERS {
    ULONG Length; /* sizeof(RTL_HEAP_PARAMETERS) */
    SIZE_T SegmentReserve;
    SIZE_T SegmentCommit;
    SIZE_T DeCommitFreeBlockThreshold;
    SIZE_T DeCommitTotalFreeThreshold;
    SIZE_T MaximumAllocationSize;
    SIZE_T VirtualMemoryThreshold;
    SIZE_T InitialCommit;
    SIZE_T InitialReserve;
    PVOID CommitRoutine;
    SIZE_T Reserved[2];
} RTL_HEAP_PARAMETERS, *PRTL_HEAP_PARAMETERS;

/* What RtlWalkHeap has reached. */
typedef struct _RTL_HEAP_WALK_ENTRY {
    PVOID DataAddress; /* NULL starts a walk */
    SIZE_T DataSize;
    UCHAR OverheadBytes;
    UCHAR SegmentIndex;
    USHORT Flags;
    union {
        struct {
            SIZE_T Settable;
            USHORT TagIndex;
            USHORT AllocatorBackTraceIndex;
            ULONG Reserved[2];
        } Block;
        struct {
            ULONG CommittedSize;
            ULONG UnCommittedSize;
            PVOID FirstEntry;
            PVOID LastEntry;
        } Segment;
    };
} RTL_HEAP_WALK_ENTRY, *PRTL_HEAP_WALK_ENTRY;

#ifdef __cplusplus
extern "C" {
#endif

/* HEAP_GROWABLE for a heap that grows; without it the reserve is the maximum. HEAP_ZERO_MEMORY and HEAP_REALLOC_IN_PLACE_ONLY then hold for every
 * call on the heap. HeapBase must be NULL, and Lock too for a heap without serialization. */
PVOID NTAPI RtlCreateHeap(ULONG Flags, PVOID HeapBase, SIZE_T ReserveSize, SIZE_T CommitSize, PVOID Lock, PRTL_HEAP_PARAMETERS Parameters);

/* Returns NULL if the heap is gone, else the handle. */
PVOID NTAPI RtlDestroyHeap(PVOID HeapHandle);

PVOID NTAPI RtlAllocateHeap(PVOID HeapHandle, ULONG Flags, SIZE_T Size);
PVOID NTAPI RtlReAllocateHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress, SIZE_T Size);
LOGICAL NTAPI RtlFreeHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress);
SIZE_T NTAPI RtlSizeHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress);
BOOLEAN NTAPI RtlValidateHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress);
BOOLEAN NTAPI RtlLockHeap(PVOID HeapHandle);
BOOLEAN NTAPI RtlUnlockHeap(PVOID HeapHandle);
NTSTATUS NTAPI RtlWalkHeap(PVOID HeapHandle, PRTL_HEAP_WALK_ENTRY Entry);
SIZE_T NTAPI RtlCompactHeap(PVOID HeapHandle, ULONG Flags);

/* Overwrites all free memory of the heap with zeros. */
NTSTATUS NTAPI RtlZeroHeap(PVOID HeapHandle, ULONG Flags);

NTSTATUS NTAPI RtlQueryHeapInformation(PVOID HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
    SIZE_T HeapInformationLength, PSIZE_T ReturnLength);
NTSTATUS NTAPI RtlSetHeapInformation(PVOID HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
    SIZE_T HeapInformationLength);

/* What is attached to a block. The flags are of HEAP_SETTABLE_USER_FLAGS; when a block grows, those of the call of RtlReAllocateHeap replace them. */
BOOLEAN NTAPI RtlGetUserInfoHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress, PVOID *UserValue, PULONG UserFlags);
BOOLEAN NTAPI RtlSetUserValueHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress, PVOID UserValue);
BOOLEAN NTAPI RtlSetUserFlagsHeap(PVOID HeapHandle, ULONG Flags, PVOID BaseAddress, ULONG UserFlagsReset, ULONG UserFlagsSet);

ULONG NTAPI RtlGetProcessHeaps(ULONG NumberOfHeaps, PVOID *ProcessHeaps);

/* They end with the first block that is refused, and return how many there were before it. */
ULONG NTAPI RtlMultipleAllocateHeap(PVOID HeapHandle, ULONG Flags, SIZE_T Size, ULONG Count, PVOID *Array);
ULONG NTAPI RtlMultipleFreeHeap(PVOID HeapHandle, ULONG Flags, ULONG Count, PVOID *Array);

#ifdef __cplusplus
}
#endif

#endif
