/* The heap functions of Win32, by PrivateHeaps. Link with -lprivateheaps.
 *
 * A heap handle is opaque. Functions may be called from any thread; a heap created with HEAP_NO_SERIALIZE by one thread at a time.
 * An address that is not the start of a live block of the heap, and a handle of no heap, are refused: nothing is dereferenced. */
#ifndef PRIVATEHEAPS_HEAPAPI_H
#define PRIVATEHEAPS_HEAPAPI_H

#include <windef.h>

/* For HeapCreate and, the first two and the two after them, for single calls. */
#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010
#define HEAP_CREATE_ENABLE_EXECUTE 0x00040000

/* For HeapCreate: 16 bytes of 0xAB behind each block, and fresh and freed memory filled, are verified; what was overwritten ends the process with a report. */
#define HEAP_TAIL_CHECKING_ENABLED 0x00000020
#define HEAP_FREE_CHECKING_ENABLED 0x00000040

/* Accepted and without effect here. */
#define HEAP_GROWABLE 0x00000002
#define HEAP_DISABLE_COALESCE_ON_FREE 0x00000080
#define HEAP_CREATE_SEGMENT_HEAP 0x00000100
#define HEAP_CREATE_HARDENED 0x00000200
#define HEAP_CREATE_ALIGN_16 0x00010000
#define HEAP_CREATE_ENABLE_TRACING 0x00020000

/* Tags, which are accepted in the flags of calls and ignored. */
#define HEAP_MAXIMUM_TAG 0x0FFF
#define HEAP_PSEUDO_TAG_FLAG 0x8000
#define HEAP_TAG_SHIFT 18
#define HEAP_MAKE_TAG_FLAGS(base, number) ((DWORD)((base) + ((number) << HEAP_TAG_SHIFT)))

/* Every block is aligned to this many bytes. */
#define MEMORY_ALLOCATION_ALIGNMENT 16

/* wFlags of PROCESS_HEAP_ENTRY. */
#define PROCESS_HEAP_REGION 0x0001
#define PROCESS_HEAP_UNCOMMITTED_RANGE 0x0002
#define PROCESS_HEAP_ENTRY_BUSY 0x0004
#define PROCESS_HEAP_SEG_ALLOC 0x0008
#define PROCESS_HEAP_ENTRY_MOVEABLE 0x0010
#define PROCESS_HEAP_ENTRY_DDESHARE 0x0020

/* What HeapWalk has reached. Sizes are bytes; the 32-bit ones are truncated for blocks and regions of 4 GiB and more. */
typedef struct _PROCESS_HEAP_ENTRY {
    PVOID lpData; /* NULL starts a walk */
    DWORD cbData;
    BYTE cbOverhead;
    BYTE iRegionIndex;
    WORD wFlags;
    union {
        struct {
            HANDLE hMem;
            DWORD dwReserved[3];
        } Block;
        struct {
            DWORD dwCommittedSize;
            DWORD dwUnCommittedSize;
            LPVOID lpFirstBlock;
            LPVOID lpLastBlock;
        } Region;
    };
} PROCESS_HEAP_ENTRY, *PPROCESS_HEAP_ENTRY, *LPPROCESS_HEAP_ENTRY;

/* A heap at one moment, in bytes: cbAllocated <= cbCommitted <= cbReserved <= cbMaxReserve. */
typedef struct _HEAP_SUMMARY {
    DWORD cb; /* sizeof(HEAP_SUMMARY), set by the caller */
    SIZE_T cbAllocated;
    SIZE_T cbCommitted;
    SIZE_T cbReserved;
    SIZE_T cbMaxReserve;
} HEAP_SUMMARY, *PHEAP_SUMMARY, *LPHEAP_SUMMARY;

typedef enum _HEAP_INFORMATION_CLASS {
    HeapCompatibilityInformation = 0, /* ULONG: 0 standard, 2 low-fragmentation front end */
    HeapEnableTerminationOnCorruption = 1,
    HeapOptimizeResources = 3,
    HeapTag = 7
} HEAP_INFORMATION_CLASS;

#define HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION 1

typedef struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION {
    DWORD Version;
    DWORD Flags;
} HEAP_OPTIMIZE_RESOURCES_INFORMATION, *PHEAP_OPTIMIZE_RESOURCES_INFORMATION;

#ifdef __cplusplus
#define PRIVATEHEAPS_LAYOUT(fact) static_assert(fact, #fact)
#else
#define PRIVATEHEAPS_LAYOUT(fact) _Static_assert(fact, #fact)
#endif
PRIVATEHEAPS_LAYOUT(sizeof(DWORD) == 4 && sizeof(SIZE_T) == sizeof(void *));
#ifdef __LP64__
PRIVATEHEAPS_LAYOUT(sizeof(PROCESS_HEAP_ENTRY) == 40);
PRIVATEHEAPS_LAYOUT(offsetof(PROCESS_HEAP_ENTRY, cbOverhead) == 12 && offsetof(PROCESS_HEAP_ENTRY, wFlags) == 14);
PRIVATEHEAPS_LAYOUT(offsetof(PROCESS_HEAP_ENTRY, Block.dwReserved) == 24 && offsetof(PROCESS_HEAP_ENTRY, Region.lpLastBlock) == 32);
PRIVATEHEAPS_LAYOUT(sizeof(HEAP_SUMMARY) == 40 && offsetof(HEAP_SUMMARY, cbMaxReserve) == 32);
#endif
PRIVATEHEAPS_LAYOUT(sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION) == 8);
#undef PRIVATEHEAPS_LAYOUT

#ifdef __cplusplus
extern "C" {
#endif

/* Returns NULL on failure, with the last error set. Maximum 0 makes a heap that grows; any other is rounded up to pages and never exceeded. */
HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize);

/* Frees the heap with all its blocks. The process heap stays. */
BOOL WINAPI HeapDestroy(HANDLE hHeap);

HANDLE WINAPI GetProcessHeap(void);

/* Stores at most NumberOfHeaps handles, the process heap first; returns how many heaps there are. */
DWORD WINAPI GetProcessHeaps(DWORD NumberOfHeaps, PHANDLE ProcessHeaps);

/* Returns NULL on failure and leaves the last error alone, or sets it to 8 under the observed contract (below). With HEAP_GENERATE_EXCEPTIONS, of
 * the heap or of the call, it raises instead (excpt.h). */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);

/* Returns NULL on failure, and the block is as it was. Unlike realloc, it allocates nothing for NULL and frees nothing for 0 bytes. */
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes);

/* NULL is freed with success. */
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);

/* Returns exactly the bytes that were asked for, or (SIZE_T)-1. */
SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

/* Whether lpMem is a live block of the heap; for NULL, whether the whole heap is sound. Never touches the last error. */
BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

/* Between them other threads wait when they use the heap. Locks nest. */
BOOL WINAPI HeapLock(HANDLE hHeap);
BOOL WINAPI HeapUnlock(HANDLE hHeap);

/* The next region or block after *lpEntry; FALSE with ERROR_NO_MORE_ITEMS at the end. Hold HeapLock around a whole walk. */
BOOL WINAPI HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry);

/* Returns the size of the largest free committed block, or 0. */
SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags);

/* dwFlags is 0. */
BOOL WINAPI HeapSummary(HANDLE hHeap, DWORD dwFlags, LPHEAP_SUMMARY lpSummary);

BOOL WINAPI HeapQueryInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
    SIZE_T HeapInformationLength, PSIZE_T ReturnLength);
BOOL WINAPI HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
    SIZE_T HeapInformationLength);

/* Where Microsoft's documents and what Windows is seen to do differ, the process follows one of them; docs/win32-parity.md has the differences.
 * Without a call the environment variable PRIVATEHEAPS_CONTRACT decides ("documented" or "observed"), else the documents. */
typedef enum _HEAP_CONTRACT { HeapContractDocumented = 1, HeapContractObserved = 2 } HEAP_CONTRACT;

/* FALSE with ERROR_INVALID_PARAMETER for another value, with ERROR_ALREADY_INITIALIZED when heaps were created under the other contract. */
BOOL SetHeapContract(HEAP_CONTRACT contract);
HEAP_CONTRACT GetHeapContract(void);

/* Raising, which Windows does by structured exceptions. The process has one handler. It is called on the thread whose HeapAlloc or
 * HeapReAlloc failed, from its frame and with nothing locked, so it may leave by longjmp or by throwing a C++ exception. If there is
 * none (NULL), or if it returns, one line goes to standard error and the process aborts. A __try block of the thread (excpt.h) goes before it.
 * code: STATUS_NO_MEMORY or STATUS_ACCESS_VIOLATION. bytes: what was asked for. */
typedef void (*PHEAP_RAISE_HANDLER)(DWORD code, HANDLE heap, SIZE_T bytes, void *context);

/* Sets the handler and what it gets as context; returns the handler before it. Set it before other threads use raising heaps. */
PHEAP_RAISE_HANDLER SetHeapRaiseHandler(PHEAP_RAISE_HANDLER handler, void *context);

#ifdef __cplusplus
}
#endif

#endif
