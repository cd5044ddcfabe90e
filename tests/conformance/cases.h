/* The heaps, sizes, handles and addresses that the groups of the heap functions go through. */
#ifndef CASES_H
#define CASES_H

#include "conformance.h"

struct heap_kind { const char *name; DWORD options; SIZE_T initial, maximum; };
enum { HEAP_KINDS = 6 };
extern const struct heap_kind heap_kinds[HEAP_KINDS];
HANDLE create_kind(const struct heap_kind *kind);

/* Handles of no heap. Each call makes what it needs, so that "destroyed heap" is one destroyed just now. */
enum { BAD_HANDLES = 5 };
HANDLE bad_handle(int index);
const char *bad_handle_name(int index);

/* Addresses at which no live block of the heap starts. Each call makes what it needs, in the heap and in heaps that nobody else uses. */
enum { BAD_ADDRESSES = 17 };
void *bad_address(int index, HANDLE heap);
const char *bad_address_name(int index);

/* Sizes around the end of each size class of this library, of half a mebibyte, of what Windows serves from a heap with a maximum, and of a mebibyte. */
size_t edge_size(int index);
extern const int edge_size_count;

/* "1000 bytes", from 64 KiB on "0x7FFF8 bytes". */
const char *bytes(SIZE_T count);

/* Memory that belongs to no heap, zero all around. */
void *static_memory(void);

/* Byte number index of a pattern without zeros and without a period of a power of two. */
void fill_pattern(void *block, size_t count);
int has_pattern(const void *block, size_t count);

/* Whether the address is a multiple of what the platform promises. */
int is_aligned(const void *block);

#endif
