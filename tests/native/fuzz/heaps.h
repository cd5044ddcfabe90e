/* What the Rtl functions for whole heaps share with the Heap functions. */
#ifndef HEAPS_H
#define HEAPS_H

#include "fuzz.h"

/* More heaps than there are: so many threads, with their own. */
enum { MAX_LISTED = 300 };

/* A new heap of this actor's, which is destroyed if there is no place for it. */
void keep_heap(struct actor *actor, HANDLE handle, DWORD options, SIZE_T maximum);

/* The heap is to be destroyed next: its blocks are sound, and go with it. */
void forget_heap(struct actor *actor, struct heap *heap);

void check_heap_list(struct actor *actor, DWORD (*list)(DWORD count, HANDLE *heaps));

#endif
