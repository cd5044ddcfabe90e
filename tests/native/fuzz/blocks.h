/* The functions for blocks exist twice, as Heap and as Rtl functions that answer the same but for last errors; each check is made of either. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "fuzz.h"

/* Bits that make RtlAllocateHeap allocate a block to which a value can be attached. */
enum { ANY_ATTACHABLE = 0xF00 };

struct block_functions {
    allocation *allocate;
    reallocation *reallocate;
    BOOL (*release)(HANDLE heap, DWORD flags, void *block);
    SIZE_T (*size)(HANDLE heap, DWORD flags, const void *block);
    BOOL (*validate)(HANDLE heap, DWORD flags, const void *block);
    int is_rtl;
};

void fuzz_allocate(struct actor *actor, const struct block_functions *functions);
void fuzz_reallocate(struct actor *actor, const struct block_functions *functions);
void fuzz_release(struct actor *actor, const struct block_functions *functions);
void fuzz_size(struct actor *actor, const struct block_functions *functions);
void fuzz_validate(struct actor *actor, const struct block_functions *functions);

#endif
