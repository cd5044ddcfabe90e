/* The documented pattern for HEAP_GENERATE_EXCEPTIONS: __try, __except and GetExceptionCode of excpt.h. */
#include "heap_check.h"
#include <pthread.h>
#include <signal.h>

static volatile SIZE_T huge = (SIZE_T)1 << 60;
static HANDLE heap;

/* Allocates with exceptions; 0, or the code that was raised. */
static DWORD try_alloc(SIZE_T bytes)
{
    volatile DWORD code = 0;
    __try {
        HeapFree(heap, 0, HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, bytes));
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        code = GetExceptionCode();
    }
    return code;
}

TEST("a raising allocation ends its __try block with the documented code")
{
    heap = new_heap();
    CHECK_EQUAL(0, try_alloc(100));
    SetLastError(UNTOUCHED);
    CHECK_EQUAL(STATUS_NO_MEMORY, try_alloc(huge));
    CHECK_EQUAL(UNTOUCHED, GetLastError());
    CHECK_EQUAL(0, try_alloc(100));
    HeapDestroy(heap);
    CHECK_EQUAL(STATUS_ACCESS_VIOLATION, try_alloc(100));
}

TEST("the heap's flag raises too, and from HeapReAlloc")
{
    HANDLE raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 64 * KiB);
    char *block = HeapAlloc(raising, 0, 100);
    memset(block, 'x', 100);
    volatile int raised = 0;
    __try {
        HeapReAlloc(raising, 0, block, MiB);
        CHECK(0);
    }
    __except (GetExceptionCode() == STATUS_NO_MEMORY ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        raised++;
        CHECK_EQUAL(100, HeapSize(raising, 0, block));
        CHECK(all_bytes(block, 100, 'x'));
    }
    CHECK_EQUAL(1, raised);
    CHECK(HeapDestroy(raising));
}

TEST("the record says what Windows says")
{
    heap = new_heap();
    volatile int handled = 0;
    __try {
        HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
    }
    __except (GetExceptionInformation()->ExceptionRecord->ExceptionCode == STATUS_NO_MEMORY) {
        PEXCEPTION_RECORD record = GetExceptionInformation()->ExceptionRecord;
        CHECK_EQUAL(EXCEPTION_NONCONTINUABLE, record->ExceptionFlags);
        CHECK_EQUAL(0, record->NumberParameters);
        CHECK(record->ExceptionRecord == NULL && record->ExceptionAddress != NULL);
        handled = 1;
    }
    CHECK_EQUAL(1, handled);
    HeapDestroy(heap);
}

TEST("a filter that searches on gives the exception to the outer block, and one that continues cannot")
{
    heap = new_heap();
    volatile int inner = 0, outer = 0;
    for (int filter = -1; filter <= 1; filter++) {
        __try {
            __try {
                HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
            }
            __except (filter) {
                inner++;
            }
        }
        __except (EXCEPTION_EXECUTE_HANDLER) {
            CHECK_EQUAL(filter == 0 ? STATUS_NO_MEMORY : STATUS_NONCONTINUABLE_EXCEPTION, GetExceptionCode());
            outer++;
        }
    }
    CHECK_EQUAL(1, inner);
    CHECK_EQUAL(2, outer);
    HeapDestroy(heap);
}

static DWORD leave_by_return(void)
{
    __try {
        return 5;
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        return 6;
    }
    return 7;
}

static int handler_calls;
static jmp_buf handler_target;
static void handler(DWORD code, HANDLE of, SIZE_T bytes, void *context)
{
    (void)code, (void)of, (void)bytes, (void)context;
    handler_calls++;
    longjmp(handler_target, 1);
}

TEST("a block that was left, by its end, return, goto or break, takes no more exceptions")
{
    heap = new_heap();
    SetHeapRaiseHandler(handler, NULL);
    for (volatile int way = 0; way < 4; way++) {
        __try {
            if (way == 1)
                goto out;
            if (way == 2)
                break;
        }
        __except (EXCEPTION_EXECUTE_HANDLER) {
            CHECK(0);
        }
    out:
        if (way == 3)
            CHECK_EQUAL(5, leave_by_return());
        if (setjmp(handler_target) == 0)
            HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
    }
    CHECK_EQUAL(4, handler_calls);
    SetHeapRaiseHandler(NULL, NULL);
    HeapDestroy(heap);
}

TEST("an exception in a handler goes to the outer block")
{
    heap = new_heap();
    volatile int caught = 0;
    __try {
        __try {
            HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
        }
        __except (EXCEPTION_EXECUTE_HANDLER) {
            HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
            CHECK(0);
        }
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        caught = 1;
    }
    CHECK_EQUAL(1, caught);
    HeapDestroy(heap);
}

static void *raise_often(void *unused)
{
    for (int i = 0; i < 20000; i++)
        if (try_alloc(i % 2 == 0 ? huge : 100) != (i % 2 == 0 ? STATUS_NO_MEMORY : 0))
            return (void *)1;
    return unused;
}

TEST("each thread has its own blocks")
{
    heap = new_heap();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, raise_often, NULL);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        CHECK(failed == NULL);
    }
    CHECK(HeapValidate(heap, 0, NULL) && HeapDestroy(heap));
}

static void raise_without_taker(void)
{
    heap = new_heap();
    __try {
        HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
    }
    __except (EXCEPTION_CONTINUE_SEARCH) {
    }
}

TEST("an exception that nobody takes ends the process with one sentence")
{
    char errors[500];
    int status = run_in_child(raise_without_taker, errors, sizeof errors);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strncmp(errors, "privateheaps: heap ", 19) == 0 && strstr(errors, " raised status 0xC0000017 for 1152921504606846976 bytes, and no handler took it.\n"));
}
