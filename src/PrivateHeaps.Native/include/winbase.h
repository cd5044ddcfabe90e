/* The Global and Local functions of Win32, by PrivateHeaps. Link with -lprivateheaps.
 *
 * All blocks lie in the process heap. A fixed block is known by its address. A moveable one (GMEM_MOVEABLE) is known by a handle, and may
 * change its address while its lock count is 0; a handle whose block was discarded stays valid. Both families share the handles, 65536 in
 * all, and a handle of one may be given to the other. Functions may be called from any thread. What is neither a handle in use nor a live
 * block is refused: nothing is dereferenced. The heap functions tell the size of a moveable block by its address, and refuse to free or to resize it. */
#ifndef PRIVATEHEAPS_WINBASE_H
#define PRIVATEHEAPS_WINBASE_H

#include <windef.h>

/* For GlobalAlloc and GlobalReAlloc. */
#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_ZEROINIT 0x0040
#define GMEM_MODIFY 0x0080 /* GlobalReAlloc only: change the attributes, not the size */
#define GMEM_DISCARDABLE 0x0100 /* remembered for moveable blocks, and without effect; so is the next one */
#define GMEM_DDESHARE 0x2000
#define GMEM_SHARE GMEM_DDESHARE
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)

/* Accepted and without effect. */
#define GMEM_NOCOMPACT 0x0010
#define GMEM_NODISCARD 0x0020
#define GMEM_NOT_BANKED 0x1000
#define GMEM_LOWER GMEM_NOT_BANKED
#define GMEM_NOTIFY 0x4000

/* Other bits make GlobalAlloc and GlobalReAlloc fail. */
#define GMEM_VALID_FLAGS 0x7F72

/* What GlobalFlags returns, beside GMEM_DISCARDABLE and GMEM_DDESHARE. */
#define GMEM_LOCKCOUNT 0x00FF
#define GMEM_DISCARDED 0x4000
#define GMEM_INVALID_HANDLE 0x8000

/* The same for the Local functions. */
#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_ZEROINIT 0x0040
#define LMEM_MODIFY 0x0080
#define LMEM_DISCARDABLE 0x0F00
#define LMEM_NOCOMPACT 0x0010
#define LMEM_NODISCARD 0x0020
#define LMEM_VALID_FLAGS 0x0F72
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define NONZEROLHND LMEM_MOVEABLE
#define NONZEROLPTR LMEM_FIXED

#define LMEM_LOCKCOUNT 0x00FF
#define LMEM_DISCARDED 0x4000
#define LMEM_INVALID_HANDLE 0x8000

#ifdef __cplusplus
extern "C" {
#endif

/* Return an address, or a handle for GMEM_MOVEABLE; NULL with ERROR_NOT_ENOUGH_MEMORY. 0 bytes and GMEM_MOVEABLE make a discarded handle. */
HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes);
HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);

/* Without GMEM_MOVEABLE neither a fixed block nor a locked one moves. A handle stays the same; the result for a fixed block is its new address,
 * or with GMEM_MODIFY | GMEM_MOVEABLE (Global only) its new handle. Size 0 with GMEM_MOVEABLE discards an unlocked moveable block.
 * NULL when it cannot be done, and nothing has changed. */
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags);
HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags);
#define GlobalDiscard(hMem) GlobalReAlloc((hMem), 0, GMEM_MOVEABLE)
#define LocalDiscard(hMem) LocalReAlloc((hMem), 0, LMEM_MOVEABLE)

/* Return NULL when the block was freed, locked or not; else hMem again. */
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem);
HLOCAL WINAPI LocalFree(HLOCAL hMem);

/* Return the block's address. NULL with ERROR_DISCARDED when there is no block. */
LPVOID WINAPI GlobalLock(HGLOBAL hMem);
LPVOID WINAPI LocalLock(HLOCAL hMem);

/* FALSE with NO_ERROR when the last lock is gone, with ERROR_NOT_LOCKED when there was none. For a fixed block GlobalUnlock returns TRUE. */
BOOL WINAPI GlobalUnlock(HGLOBAL hMem);
BOOL WINAPI LocalUnlock(HLOCAL hMem);

/* Return exactly the bytes that were asked for (1 for GlobalAlloc(GMEM_FIXED, 0)); 0 with ERROR_INVALID_HANDLE for what is no block. */
SIZE_T WINAPI GlobalSize(HGLOBAL hMem);
SIZE_T WINAPI LocalSize(HLOCAL hMem);

UINT WINAPI GlobalFlags(HGLOBAL hMem);
UINT WINAPI LocalFlags(HLOCAL hMem);

/* Return the handle of the moveable block that starts at the address, or the address itself for another block of the process heap. */
HGLOBAL WINAPI GlobalHandle(LPCVOID pMem);
HLOCAL WINAPI LocalHandle(LPCVOID pMem);

/* Without effect. Return 0. */
SIZE_T WINAPI GlobalCompact(DWORD dwMinFree);
SIZE_T WINAPI LocalCompact(UINT uMinFree);
SIZE_T WINAPI LocalShrink(HLOCAL hMem, UINT cbNewSize);

/* Other names of GlobalLock and GlobalUnlock. */
VOID WINAPI GlobalFix(HGLOBAL hMem);
VOID WINAPI GlobalUnfix(HGLOBAL hMem);
LPVOID WINAPI GlobalWire(HGLOBAL hMem);
BOOL WINAPI GlobalUnWire(HGLOBAL hMem);

#ifdef __cplusplus
}
#endif

#endif
