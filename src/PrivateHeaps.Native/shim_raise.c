/* Raising. It leaves a function without returning, which C# cannot do without a runtime: here by longjmp into the thread's innermost __try block,
 * else by the process's handler, which may do as it likes. */
#include "shim_raise.h"
#include <excpt.h>
#include <heapapi.h>
#include <stdlib.h>

/* The innermost __try block of the calling thread. */
static __thread HEAP_TRY *innermost __attribute__((tls_model("initial-exec")));

static PHEAP_RAISE_HANDLER raise_handler;
static void *raise_context;

PHEAP_RAISE_HANDLER SetHeapRaiseHandler(PHEAP_RAISE_HANDLER handler, void *context)
{
    PHEAP_RAISE_HANDLER before = raise_handler;
    raise_context = context;
    raise_handler = handler;
    return before;
}

HEAP_TRY *EnterHeapTry(HEAP_TRY *block)
{
    block->Outer = innermost;
    block->Pointers.ExceptionRecord = &block->Record;
    innermost = block;
    return block;
}

/* A block whose body raised was taken out already. */
void LeaveHeapTry(HEAP_TRY *block)
{
    if (innermost == block)
        innermost = block->Outer;
}

static void raise(const EXCEPTION_RECORD *record, HANDLE heap, SIZE_T bytes)
{
    HEAP_TRY *block = innermost;
    if (block != NULL) {
        innermost = block->Outer;
        block->Record = *record;
        longjmp(block->Place, 1);
    }
    if (raise_handler != NULL)
        raise_handler(record->ExceptionCode, heap, bytes, raise_context);
    ph_say("heap %p raised status 0x%X for %zu bytes, and no handler took it.", heap, record->ExceptionCode, (size_t)bytes);
    abort();
}

/* The heap and the size are kept where the record's parameters would be; their number stays 0, as on Windows. */
BOOL FilterHeapException(HEAP_TRY *block, LONG filter)
{
    if (filter > 0)
        return TRUE;
    EXCEPTION_RECORD outer = block->Record;
    if (filter < 0)
        outer.ExceptionCode = STATUS_NONCONTINUABLE_EXCEPTION;
    raise(&outer, (HANDLE)outer.ExceptionInformation[0], outer.ExceptionInformation[1]);
    return FALSE;
}

void *ph_raise_pending(void *heap, size_t bytes, void *caller)
{
    DWORD status = ph_thread->pending;
    if (status == 0)
        return NULL;
    ph_thread->pending = 0;
    EXCEPTION_RECORD record = { .ExceptionCode = status, .ExceptionFlags = EXCEPTION_NONCONTINUABLE, .ExceptionAddress = caller,
        .ExceptionInformation = { (ULONG_PTR)heap, bytes } };
    raise(&record, heap, bytes);
    return NULL;
}
