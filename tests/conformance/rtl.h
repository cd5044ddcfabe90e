/* The Rtl functions under the Win32 heap functions. Here <ntrtl.h> has them; on Windows no header of the compiler does and each version of
 * ntdll has others, so they are looked up by name, and a missing one is NULL. */
#ifndef RTL_H
#define RTL_H

#include "conformance.h"

#if defined(_WIN32)
typedef struct _RTL_HEAP_WALK_ENTRY {
    PVOID DataAddress;
    SIZE_T DataSize;
    UCHAR OverheadBytes, SegmentIndex;
    USHORT Flags;
    union {
        struct { SIZE_T Settable; USHORT TagIndex, AllocatorBackTraceIndex; ULONG Reserved[2]; } Block;
        struct { ULONG CommittedSize, UnCommittedSize; PVOID FirstEntry, LastEntry; } Segment;
    };
} RTL_HEAP_WALK_ENTRY;

/* The compiler's headers declare these four, but its libraries have no such functions. */
#define RtlQueryHeapInformation found_RtlQueryHeapInformation
#define RtlSetHeapInformation found_RtlSetHeapInformation
#define RtlMultipleAllocateHeap found_RtlMultipleAllocateHeap
#define RtlMultipleFreeHeap found_RtlMultipleFreeHeap
#define RTL_FUNCTIONS(F) \
    F(PVOID, RtlCreateHeap, (ULONG flags, PVOID base, SIZE_T reserve, SIZE_T commit, PVOID lock, PVOID parameters)) \
    F(PVOID, RtlDestroyHeap, (PVOID heap)) \
    F(PVOID, RtlAllocateHeap, (PVOID heap, ULONG flags, SIZE_T bytes)) \
    F(PVOID, RtlReAllocateHeap, (PVOID heap, ULONG flags, PVOID block, SIZE_T bytes)) \
    F(BOOLEAN, RtlFreeHeap, (PVOID heap, ULONG flags, PVOID block)) \
    F(SIZE_T, RtlSizeHeap, (PVOID heap, ULONG flags, PVOID block)) \
    F(BOOLEAN, RtlValidateHeap, (PVOID heap, ULONG flags, PVOID block)) \
    F(BOOLEAN, RtlLockHeap, (PVOID heap)) \
    F(BOOLEAN, RtlUnlockHeap, (PVOID heap)) \
    F(LONG, RtlWalkHeap, (PVOID heap, RTL_HEAP_WALK_ENTRY *entry)) \
    F(SIZE_T, RtlCompactHeap, (PVOID heap, ULONG flags)) \
    F(LONG, RtlZeroHeap, (PVOID heap, ULONG flags)) \
    F(LONG, RtlQueryHeapInformation, (PVOID heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T bytes, PSIZE_T returned)) \
    F(LONG, RtlSetHeapInformation, (PVOID heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T bytes)) \
    F(BOOLEAN, RtlGetUserInfoHeap, (PVOID heap, ULONG flags, PVOID block, PVOID *value, PULONG user_flags)) \
    F(BOOLEAN, RtlSetUserValueHeap, (PVOID heap, ULONG flags, PVOID block, PVOID value)) \
    F(BOOLEAN, RtlSetUserFlagsHeap, (PVOID heap, ULONG flags, PVOID block, ULONG reset, ULONG set)) \
    F(ULONG, RtlGetProcessHeaps, (ULONG count, PVOID *heaps)) \
    F(ULONG, RtlMultipleAllocateHeap, (PVOID heap, ULONG flags, SIZE_T bytes, ULONG count, PVOID *blocks)) \
    F(ULONG, RtlMultipleFreeHeap, (PVOID heap, ULONG flags, ULONG count, PVOID *blocks))
#define DECLARE_RTL(result, name, parameters) extern result (NTAPI *name) parameters;
RTL_FUNCTIONS(DECLARE_RTL)
#undef DECLARE_RTL
#define IS_THERE(name) (name != NULL)
#else
#include <ntrtl.h>
#define IS_THERE(name) 1
#endif

/* Each of the lines (a list that NULL ends) says "not there" where the function is missing. Whether it is missing. */
int is_missing(int is_there, const char *const *lines);

/* The flags of a growable heap and those of a block that has a user value. */
enum { GROWABLE = 2, SETTABLE_VALUE = 0x100, SETTABLE_FLAG1 = 0x200, SETTABLE_FLAG2 = 0x400, SETTABLE_FLAG3 = 0x800, SETTABLE_FLAGS = 0xE00 };

/* A status as it is written: "0xC000000D"; "0" for success. */
#define OBSERVE_STATUS(name, expression) OBSERVE_NUMBER(name, (ULONG)(expression))

/* A new growable heap. */
HANDLE rtl_heap(void);

#endif
