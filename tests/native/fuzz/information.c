/* HeapQueryInformation and HeapSetInformation; the last error; the contract; the handler of raised statuses. */
#include "fuzz.h"

static int random_class(struct actor *actor)
{
    return once_in(actor, 2) ? HeapCompatibilityInformation : once_in(actor, 8) ? (int)random_bits(actor) : (int)below(actor, 10);
}

static void query(struct actor *actor)
{
    unsigned char buffer[32];
    memset(buffer, 0xAB, sizeof buffer);
    struct heap *heap = any_heap(actor);
    int kind = random_class(actor), has_heap = !once_in(actor, 5), is_null = !has_heap && once_in(actor, 2), has_buffer = !once_in(actor, 4);
    SIZE_T length = below(actor, 17), returned = 77, *returned_place = once_in(actor, 3) ? NULL : &returned;
    forget_error();
    BOOL done = HeapQueryInformation(has_heap ? heap->handle : is_null ? NULL : bad_handle(actor), kind, has_buffer ? buffer : NULL, length, returned_place);
    if (kind != HeapCompatibilityInformation) {
        /* Classes that are documented nowhere may be answered; nothing is written behind the buffer in any case. */
        MUST(all_bytes(buffer + length, sizeof buffer - length, 0xAB));
        if (!done)
            MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_INSUFFICIENT_BUFFER, ERROR_GEN_FAILURE);
    } else if (!has_heap) {
        MUST(!done);
        MUST_LEAVE(is_null ? ERROR_NOACCESS : ERROR_INVALID_HANDLE);
    } else {
        MUST(returned_place == NULL || returned == 4);
        MUST(done == (length >= 4 && has_buffer));
        MUST_LEAVE(done ? UNTOUCHED : length < 4 ? ERROR_INSUFFICIENT_BUFFER : ERROR_NOACCESS);
        MUST(all_bytes(buffer + (done ? 4 : 0), sizeof buffer - 4, 0xAB));
        DWORD value;
        memcpy(&value, buffer, sizeof value);
        MUST(!done || value == 0 || value == 2);
        MUST(!done || heap - actor->heaps < SHARED_HEAPS || value >= (DWORD)heap->front_end);
    }
}

static void set_front_end(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    DWORD value[4] = { below(actor, 5) };
    SIZE_T length = below(actor, 16);
    forget_error();
    if (heap == NULL || once_in(actor, 4)) {
        MUST(!HeapSetInformation(once_in(actor, 2) ? NULL : bad_handle(actor), HeapCompatibilityInformation, value, sizeof *value));
        MUST_LEAVE(ERROR_INVALID_HANDLE);
    } else if (once_in(actor, 4)) {
        MUST(!HeapSetInformation(heap->handle, HeapCompatibilityInformation, NULL, length));
        MUST_LEAVE(length < 4 ? ERROR_INSUFFICIENT_BUFFER : ERROR_NOACCESS);
    } else {
        BOOL done = HeapSetInformation(heap->handle, HeapCompatibilityInformation, value, length);
        if (done)
            MUST_LEAVE(UNTOUCHED);
        else if (length < 4)
            MUST_LEAVE(ERROR_INSUFFICIENT_BUFFER);
        else
            MUST_LEAVE(ERROR_GEN_FAILURE, value[0] == 2 ? ERROR_INVALID_PARAMETER : ERROR_GEN_FAILURE);
        MUST(!done || (length >= 4 && (value[0] == 0 || value[0] == 2)));
        MUST(!done || value[0] != 2 || (heap->maximum == 0 && (heap->options & HEAP_NO_SERIALIZE) == 0) || is_observed_contract);
        if (done && value[0] == 2)
            heap->front_end = 2;
    }
}

static void set_resources(struct actor *actor)
{
    HEAP_OPTIMIZE_RESOURCES_INFORMATION request = { once_in(actor, 4) ? (DWORD)random_bits(actor) : 1, once_in(actor, 4) ? (DWORD)random_bits(actor) : 0 };
    SIZE_T length = once_in(actor, 4) ? below(actor, 8) : sizeof request;
    struct heap *heap = any_heap(actor);
    int is_good = length >= sizeof request && request.Version == 1 && request.Flags == 0;
    forget_error();
    switch (below(actor, 4)) {
        case 0:
            MUST(!HeapSetInformation(heap->handle, HeapOptimizeResources, NULL, length));
            MUST_LEAVE(length < sizeof request ? ERROR_INSUFFICIENT_BUFFER : ERROR_NOACCESS);
            return;
        case 1:
            MUST(!HeapSetInformation(bad_handle(actor), HeapOptimizeResources, &request, length));
            MUST_LEAVE(is_good ? ERROR_INVALID_HANDLE : length < sizeof request ? ERROR_INSUFFICIENT_BUFFER : ERROR_INVALID_PARAMETER);
            return;
        case 2:
            /* All heaps: those without serialization are another thread's affair. */
            MUST(is_good || !HeapSetInformation(NULL, HeapOptimizeResources, &request, length));
            return;
    }
    MUST(HeapSetInformation(heap->handle, HeapOptimizeResources, &request, length) == is_good);
    MUST_LEAVE(is_good ? UNTOUCHED : length < sizeof request ? ERROR_INSUFFICIENT_BUFFER : ERROR_INVALID_PARAMETER);
}

static void set(struct actor *actor)
{
    int kind = random_class(actor);
    if (kind == HeapCompatibilityInformation)
        set_front_end(actor);
    else if (kind == HeapOptimizeResources)
        set_resources(actor);
    else if (kind != HeapEnableTerminationOnCorruption) { /* which is for good: see special.c */
        char buffer[32] = { 0 };
        forget_error();
        BOOL done = HeapSetInformation(once_in(actor, 2) ? bad_handle(actor) : any_heap(actor)->handle, kind, once_in(actor, 2) ? NULL : buffer, below(actor, 32));
        if (done)
            MUST_LEAVE(UNTOUCHED);
        else
            MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_INSUFFICIENT_BUFFER, ERROR_GEN_FAILURE);
    }
}

static const struct action actions[] = { { "HeapQueryInformation", query, 15 }, { "HeapSetInformation", set, 12 } };
PART(information_part, actions);

static void get_last_error(struct actor *actor)
{
    DWORD code = (DWORD)random_bits(actor);
    SetLastError(code);
    MUST(GetLastError() == code);
    MUST(GetProcessHeap() != NULL);
    MUST(GetLastError() == code);
}

/* The process has heaps, so the contract stays what it is. */
static void set_contract(struct actor *actor)
{
    HEAP_CONTRACT now = GetHeapContract();
    HEAP_CONTRACT wanted = ONE_OF(HEAP_CONTRACT, HeapContractDocumented, HeapContractObserved, (HEAP_CONTRACT)0, (HEAP_CONTRACT)random_bits(actor));
    MUST(now == (is_observed_contract ? HeapContractObserved : HeapContractDocumented));
    forget_error();
    BOOL done = SetHeapContract(wanted);
    MUST(done == (wanted == now));
    MUST_LEAVE(done ? UNTOUCHED : wanted == HeapContractDocumented || wanted == HeapContractObserved ? ERROR_ALREADY_INITIALIZED : ERROR_INVALID_PARAMETER);
    MUST(GetHeapContract() == now);
}

static void set_handler(struct actor *actor) { MUST(SetHeapRaiseHandler(on_raise, NULL) == on_raise); }

/* Nested __try blocks: the inner one passes the exception on, the outer one takes it. */
static void try_nested(struct actor *actor)
{
    volatile int filters = 0, taken = 0;
    __try {
        __try {
            HeapAlloc(shared_heaps[1].handle, HEAP_GENERATE_EXCEPTIONS, NO_SIZE - below(actor, 1000));
        }
        __except ((filters++, EXCEPTION_CONTINUE_SEARCH)) {
            taken = 1;
        }
    }
    __except ((filters++, GetExceptionCode() == STATUS_NO_MEMORY ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH)) {
        taken = 2;
    }
    MUST(filters == 2 && taken == 2);
}

static const struct action error_actions[] = {
    { "GetLastError", get_last_error, 5 }, { "SetLastError", get_last_error, 5 }, { "GetHeapContract", set_contract, 2 }, { "SetHeapContract", set_contract, 3 },
    { "SetHeapRaiseHandler", set_handler, 2 }, { "EnterHeapTry", try_nested, 3 }, { "LeaveHeapTry", try_nested, 3 }, { "FilterHeapException", try_nested, 3 },
};
PART(error_part, error_actions);
