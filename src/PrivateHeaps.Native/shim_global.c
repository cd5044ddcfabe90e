/* The Global and Local functions: each hands the calling thread's state, and its family where that matters, to
 * the C# function in Exports.Global.cs. */
#include "shim_thread.h"
#include <winbase.h>

/* MemoryFamily of src/PrivateHeaps/Win32/Global. */
enum family { GLOBAL, LOCAL };

HGLOBAL ph_MemoryAlloc(struct ph_thread *, enum family, UINT, SIZE_T);
HGLOBAL GlobalAlloc(UINT flags, SIZE_T bytes) { return ph_MemoryAlloc(ph_thread, GLOBAL, flags, bytes); }
HLOCAL LocalAlloc(UINT flags, SIZE_T bytes) { return ph_MemoryAlloc(ph_thread, LOCAL, flags, bytes); }

HGLOBAL ph_MemoryReAlloc(struct ph_thread *, enum family, HGLOBAL, SIZE_T, UINT);
HGLOBAL GlobalReAlloc(HGLOBAL memory, SIZE_T bytes, UINT flags) { return ph_MemoryReAlloc(ph_thread, GLOBAL, memory, bytes, flags); }
HLOCAL LocalReAlloc(HLOCAL memory, SIZE_T bytes, UINT flags) { return ph_MemoryReAlloc(ph_thread, LOCAL, memory, bytes, flags); }

HGLOBAL ph_MemoryFree(struct ph_thread *, HGLOBAL);
HGLOBAL GlobalFree(HGLOBAL memory) { return ph_MemoryFree(ph_thread, memory); }
HLOCAL LocalFree(HLOCAL memory) { return ph_MemoryFree(ph_thread, memory); }

LPVOID ph_MemoryLock(struct ph_thread *, enum family, HGLOBAL);
LPVOID GlobalLock(HGLOBAL memory) { return ph_MemoryLock(ph_thread, GLOBAL, memory); }
LPVOID LocalLock(HLOCAL memory) { return ph_MemoryLock(ph_thread, LOCAL, memory); }

BOOL ph_MemoryUnlock(struct ph_thread *, enum family, HGLOBAL);
BOOL GlobalUnlock(HGLOBAL memory) { return ph_MemoryUnlock(ph_thread, GLOBAL, memory); }
BOOL LocalUnlock(HLOCAL memory) { return ph_MemoryUnlock(ph_thread, LOCAL, memory); }

SIZE_T ph_MemorySize(struct ph_thread *, HGLOBAL);
SIZE_T GlobalSize(HGLOBAL memory) { return ph_MemorySize(ph_thread, memory); }
SIZE_T LocalSize(HLOCAL memory) { return ph_MemorySize(ph_thread, memory); }

UINT ph_MemoryFlags(struct ph_thread *, enum family, HGLOBAL);
UINT GlobalFlags(HGLOBAL memory) { return ph_MemoryFlags(ph_thread, GLOBAL, memory); }
UINT LocalFlags(HLOCAL memory) { return ph_MemoryFlags(ph_thread, LOCAL, memory); }

HGLOBAL ph_MemoryHandle(struct ph_thread *, enum family, LPCVOID);
HGLOBAL GlobalHandle(LPCVOID block) { return ph_MemoryHandle(ph_thread, GLOBAL, block); }
HLOCAL LocalHandle(LPCVOID block) { return ph_MemoryHandle(ph_thread, LOCAL, block); }

/* Left from 16-bit Windows, and without effect there too. */
SIZE_T GlobalCompact(DWORD minimum) { return (void)minimum, 0; }
SIZE_T LocalCompact(UINT minimum) { return (void)minimum, 0; }
SIZE_T LocalShrink(HLOCAL memory, UINT bytes) { return (void)memory, (void)bytes, 0; }

/* Old names of locking. */
void GlobalFix(HGLOBAL memory) { GlobalLock(memory); }
void GlobalUnfix(HGLOBAL memory) { GlobalUnlock(memory); }
LPVOID GlobalWire(HGLOBAL memory) { return GlobalLock(memory); }
BOOL GlobalUnWire(HGLOBAL memory) { return GlobalUnlock(memory); }
