#include "conformance.h"

void heap_create(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    observe("growable", "%s", yes(heap != NULL));
    OBSERVE_NULL("alloc raising, impossible size", HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, NO_SIZE));
    OBSERVE_NULL("alloc in no heap", HeapAlloc((HANDLE)0x1234, 0, 10));
    OBSERVE_BOOL("destroyed", HeapDestroy(heap));
}
