/* The Win32 face: each function hands the calling thread's state to the C# function of the same name in Exports.cs. To the two that are called
 * most it comes last, so that the other arguments stay in their registers. The last error,
 * which is thread-local, is here too. */
#include "shim_raise.h"
#include <heapapi.h>

static __thread DWORD last_error __attribute__((tls_model("initial-exec")));

void ph_set_last_error(DWORD code) { last_error = code; }

DWORD GetLastError(void) { return last_error; }

void SetLastError(DWORD code) { last_error = code; }

LPVOID ph_HeapAlloc(HANDLE, DWORD, SIZE_T, void *);
LPVOID HeapAlloc(HANDLE heap, DWORD flags, SIZE_T bytes) { return ph_HeapAlloc(heap, flags, bytes, ph_cache_for(heap)); }

/* ph_HeapAlloc jumps here when its fast path cannot serve, so that what is raised is raised from C and the program's own code is the caller. */
LPVOID ph_HeapAlloc_slow(struct ph_thread *, HANDLE, DWORD, SIZE_T);
LPVOID ph_heap_alloc_or_raise(HANDLE heap, DWORD flags, SIZE_T bytes)
{
    LPVOID block = ph_HeapAlloc_slow(ph_thread, heap, flags, bytes);
    return __builtin_expect(block != NULL, 1) ? block : ph_raise_pending(heap, bytes, __builtin_return_address(0));
}

LPVOID ph_HeapReAlloc(struct ph_thread *, HANDLE, DWORD, LPVOID, SIZE_T);
LPVOID HeapReAlloc(HANDLE heap, DWORD flags, LPVOID block, SIZE_T bytes)
{
    LPVOID resized = ph_HeapReAlloc(ph_thread, heap, flags, block, bytes);
    return __builtin_expect(resized != NULL, 1) ? resized : ph_raise_pending(heap, bytes, __builtin_return_address(0));
}

BOOL ph_HeapFree(HANDLE, DWORD, LPVOID, void *);
BOOL HeapFree(HANDLE heap, DWORD flags, LPVOID block) { return ph_HeapFree(heap, flags, block, ph_cache_for(heap)); }

BOOL ph_HeapFree_slow(struct ph_thread *, HANDLE, DWORD, LPVOID);
BOOL ph_heap_free_slow(HANDLE heap, DWORD flags, LPVOID block) { return ph_HeapFree_slow(ph_thread, heap, flags, block); }

SIZE_T ph_HeapSize(struct ph_thread *, HANDLE, DWORD, LPCVOID);
SIZE_T HeapSize(HANDLE heap, DWORD flags, LPCVOID block) { return ph_HeapSize(ph_thread, heap, flags, block); }

BOOL ph_HeapValidate(struct ph_thread *, HANDLE, DWORD, LPCVOID);
BOOL HeapValidate(HANDLE heap, DWORD flags, LPCVOID block) { return ph_HeapValidate(ph_thread, heap, flags, block); }

HANDLE ph_HeapCreate(struct ph_thread *, DWORD, SIZE_T, SIZE_T);
HANDLE HeapCreate(DWORD options, SIZE_T initial, SIZE_T maximum) { return ph_HeapCreate(ph_thread, options, initial, maximum); }

BOOL ph_SetHeapContract(int);
BOOL SetHeapContract(HEAP_CONTRACT contract) { return ph_SetHeapContract((int)contract); }

int ph_GetHeapContract(void);
HEAP_CONTRACT GetHeapContract(void) { return (HEAP_CONTRACT)ph_GetHeapContract(); }

BOOL ph_HeapDestroy(struct ph_thread *, HANDLE);
BOOL HeapDestroy(HANDLE heap) { return ph_HeapDestroy(ph_thread, heap); }

HANDLE ph_GetProcessHeap(struct ph_thread *);
HANDLE GetProcessHeap(void) { return ph_GetProcessHeap(ph_thread); }

DWORD ph_GetProcessHeaps(struct ph_thread *, DWORD, PHANDLE);
DWORD GetProcessHeaps(DWORD count, PHANDLE heaps) { return ph_GetProcessHeaps(ph_thread, count, heaps); }

BOOL ph_HeapLock(struct ph_thread *, HANDLE);
BOOL HeapLock(HANDLE heap) { return ph_HeapLock(ph_thread, heap); }

BOOL ph_HeapUnlock(struct ph_thread *, HANDLE);
BOOL HeapUnlock(HANDLE heap) { return ph_HeapUnlock(ph_thread, heap); }

BOOL ph_HeapWalk(struct ph_thread *, HANDLE, LPPROCESS_HEAP_ENTRY);
BOOL HeapWalk(HANDLE heap, LPPROCESS_HEAP_ENTRY entry) { return ph_HeapWalk(ph_thread, heap, entry); }

SIZE_T ph_HeapCompact(struct ph_thread *, HANDLE, DWORD);
SIZE_T HeapCompact(HANDLE heap, DWORD flags) { return ph_HeapCompact(ph_thread, heap, flags); }

BOOL ph_HeapSummary(struct ph_thread *, HANDLE, DWORD, LPHEAP_SUMMARY);
BOOL HeapSummary(HANDLE heap, DWORD flags, LPHEAP_SUMMARY summary) { return ph_HeapSummary(ph_thread, heap, flags, summary); }

BOOL ph_HeapQueryInformation(struct ph_thread *, HANDLE, int, PVOID, SIZE_T, PSIZE_T);
BOOL HeapQueryInformation(HANDLE heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T length, PSIZE_T returned)
{
    return ph_HeapQueryInformation(ph_thread, heap, (int)kind, information, length, returned);
}

BOOL ph_HeapSetInformation(struct ph_thread *, HANDLE, int, PVOID, SIZE_T);
BOOL HeapSetInformation(HANDLE heap, HEAP_INFORMATION_CLASS kind, PVOID information, SIZE_T length)
{
    return ph_HeapSetInformation(ph_thread, heap, (int)kind, information, length);
}
