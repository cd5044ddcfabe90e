/* What the groups of pages share. Sizes are in pages of 4 KiB and in the granularity of reservations, 64 KiB. */
#ifndef MEMORY_H
#define MEMORY_H

#include "conformance.h"

enum { PAGE = 4 * KiB, UNIT = 64 * KiB };

/* "MEM_COMMIT" and the like; a number for what has no name. */
const char *state_name(DWORD state);

/* One line of what VirtualQuery says about an address, as seen from where its range begins: "state, protection, pages from the page asked about,
 * pages before it in the reservation, protection of the reservation, type". */
const char *described(const void *address);

/* 16 reserved pages; release_pages undoes it. */
char *reserve_pages(void);

/* 16 pages, all committed and full of 'x'. */
char *commit_pages(void);
void release_pages(void *pages);

/* Whether a byte can be read, whether it can be written; what is there stays. */
int is_readable(const void *address);
int is_writable(void *address);

/* Two lines, as OBSERVE_BOOL: "NULL" or "not NULL", or where the result is, seen from the expected address. */
#define OBSERVE_ADDRESS(name, expression, expected) observe_result(name, RAISED_OR((forget_error(), where(expression, expected))))
const char *where(const void *result, const void *expected);

/* Addresses that nobody has: the first pages, the kernel's half, and one that is mapped by nobody. */
#define LOW_ADDRESS ((void *)0x1000)
#define KERNEL_ADDRESS ((void *)(uintptr_t)0xFFFFFFFFDEAD0000)

#endif
