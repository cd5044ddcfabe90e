/* The virtual memory functions of Win32 and Address Windowing Extensions, by PrivateHeaps. Link with -lprivateheaps.
 *
 * Functions may be called from any thread. Sizes are bytes; a range of bytes stands for all pages that it touches. An address that is not
 * what a function needs is refused: nothing is dereferenced but the structures and variables that a function fills in. */
#ifndef PRIVATEHEAPS_MEMORYAPI_H
#define PRIVATEHEAPS_MEMORYAPI_H

#include <windef.h>

/* What VirtualAlloc is to do. */
#define MEM_COMMIT 0x00001000
#define MEM_RESERVE 0x00002000
#define MEM_RESET 0x00080000 /* the contents do not matter any more; they are kept here, and paged out first */
#define MEM_TOP_DOWN 0x00100000 /* accepted and without effect */
#define MEM_PHYSICAL 0x00400000 /* with MEM_RESERVE and PAGE_READWRITE: a window for frames */
#define MEM_RESET_UNDO 0x01000000 /* the contents matter again; always succeeds, because they were kept */

/* Refused: nothing here tracks writes, and GetLargePageMinimum says that there are no large pages. */
#define MEM_WRITE_WATCH 0x00200000
#define MEM_LARGE_PAGES 0x20000000

/* What VirtualFree is to do. */
#define MEM_DECOMMIT 0x00004000
#define MEM_RELEASE 0x00008000

/* State and, the last three, Type of MEMORY_BASIC_INFORMATION. */
#define MEM_FREE 0x00010000
#define MEM_PRIVATE 0x00020000
#define MEM_MAPPED 0x00040000
#define MEM_IMAGE 0x01000000

/* Protections, of which pages have one. Those with WRITECOPY are refused: they are for mapped files. */
#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_EXECUTE_WRITECOPY 0x80

/* Modifiers, of which pages have at most one, and those without access none. A guard page stays without access until its protection is
 * changed: the exception at its first access is not raised here. The other two are remembered and without effect. */
#define PAGE_GUARD 0x100
#define PAGE_NOCACHE 0x200
#define PAGE_WRITECOMBINE 0x400

/* For executable pages; accepted and without effect. */
#define PAGE_TARGETS_INVALID 0x40000000
#define PAGE_TARGETS_NO_UPDATE 0x40000000

typedef struct _MEMORY_BASIC_INFORMATION {
    PVOID BaseAddress;
    PVOID AllocationBase; /* where the reservation begins, or the image; NULL for free pages */
    DWORD AllocationProtect;
    WORD PartitionId;
    SIZE_T RegionSize; /* from BaseAddress to the end of the pages in the same state */
    DWORD State;
    DWORD Protect; /* 0 for pages that are only reserved */
    DWORD Type;
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;

#ifdef __cplusplus
#define PRIVATEHEAPS_LAYOUT(fact) static_assert(fact, #fact)
#else
#define PRIVATEHEAPS_LAYOUT(fact) _Static_assert(fact, #fact)
#endif
#ifdef __LP64__
PRIVATEHEAPS_LAYOUT(sizeof(MEMORY_BASIC_INFORMATION) == 48 && offsetof(MEMORY_BASIC_INFORMATION, PartitionId) == 20);
PRIVATEHEAPS_LAYOUT(offsetof(MEMORY_BASIC_INFORMATION, RegionSize) == 24 && offsetof(MEMORY_BASIC_INFORMATION, Type) == 40);
#endif
#undef PRIVATEHEAPS_LAYOUT

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the address of the first page, or NULL. Reservations start at multiples of 64 KiB; pages are committed inside one reservation, and
 * fresh ones are zero. Without an address the system chooses one, and MEM_COMMIT reserves too.
 * ERROR_INVALID_PARAMETER: no bytes, more than there are addresses, an address below 64 KiB, flags that do not go together.
 * ERROR_INVALID_ADDRESS: the range to reserve is not free, or the one to commit not reserved. ERROR_NOT_ENOUGH_MEMORY: there is no room. */
LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType, DWORD flProtect);

/* MEM_RELEASE with dwSize 0 and the first page: the whole reservation. MEM_DECOMMIT: pages of one reservation, of which some may not be
 * committed; with dwSize 0 and the first page all of them. ERROR_INVALID_ADDRESS: there is no such reservation, or it begins elsewhere. */
BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);

/* All pages must be committed and of one reservation, else ERROR_INVALID_ADDRESS and no page changes. *lpflOldProtect becomes the
 * protection of the first page before the call; NULL is refused with ERROR_NOACCESS. Memory that VirtualAlloc did not reserve can be
 * protected too, but a heap's pages may hold more than one block. */
BOOL WINAPI VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect, DWORD *lpflOldProtect);

/* Returns the size of the structure, or 0: ERROR_BAD_LENGTH for a smaller buffer, ERROR_NOACCESS for none, ERROR_INVALID_PARAMETER for an address
 * that no program can have. Of memory that VirtualAlloc did not reserve, what the system shows: inaccessible pages count as reserved. */
SIZE_T WINAPI VirtualQuery(LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength);

/* 0: there are no large pages here. */
SIZE_T WINAPI GetLargePageMinimum(void);

/* Address Windowing Extensions. Frames are zeroed pages of memory with opaque numbers; they keep their contents while they are mapped nowhere,
 * and can be mapped at any page of any window, one at a time. No privilege is needed. hProcess is GetCurrentProcess().
 * The child of a fork shares its parent's frames where they are mapped, but has none of its own: its first call of one of these
 * functions empties its windows, and its parent's numbers are refused. */

/* May allocate fewer pages than *NumberOfPages, and sets it; ERROR_NO_SYSTEM_RESOURCES when it is none. */
BOOL WINAPI AllocateUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray);

/* Unmaps the pages wherever they are mapped, and frees them in order. On failure *NumberOfPages is how many are freed; the next number is not that
 * of an allocated page (ERROR_INVALID_PARAMETER). */
BOOL WINAPI FreeUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray);

/* Maps pages one behind the other in a window, in the place of those mapped there; NULL only unmaps. On failure nothing changes:
 * ERROR_INVALID_PARAMETER when the range is not in one window, or a page is not allocated, or is mapped already. */
BOOL WINAPI MapUserPhysicalPages(PVOID VirtualAddress, ULONG_PTR NumberOfPages, PULONG_PTR PageArray);

/* As above, with an address for each page; 0 in PageArray unmaps the address. */
BOOL WINAPI MapUserPhysicalPagesScatter(PVOID *VirtualAddresses, ULONG_PTR NumberOfPages, PULONG_PTR PageArray);

#ifdef __cplusplus
}
#endif

#endif
