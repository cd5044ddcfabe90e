/* The documented pattern for HEAP_GENERATE_EXCEPTIONS: __try, __except and GetExceptionCode of excpt.h. */
#include "heap_check.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

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

/* A thread is stepped through its first call, one instruction at a time, and after each of them another thread makes its own first call, which fails in another way. */
static sem_t wanted;
static atomic_int calls_begun, calls_done, calls_wrong;
static volatile int step_count;

static void *fail_first(void *unused)
{
    SetLastError(UNTOUCHED);
    if (HeapFree((HANDLE)(intptr_t)0x7FFF0000, 0, &wanted) || GetLastError() != ERROR_INVALID_HANDLE || try_alloc(huge) != STATUS_NO_MEMORY)
        calls_wrong++;
    return unused;
}

static void *fail_at_each_step(void *unused)
{
    for (sem_wait(&wanted); calls_begun >= 0; sem_wait(&wanted)) {
        pthread_t thread;
        pthread_create(&thread, NULL, fail_first, NULL);
        pthread_join(thread, NULL);
        calls_done++;
    }
    return unused;
}

/* Where the stepped thread holds a lock the other one comes to its end only later, so nobody waits for it beyond a moment. */
static void step(int signal)
{
    (void)signal;
    step_count++;
    if (calls_done != calls_begun)
        return;
    calls_begun++;
    sem_post(&wanted);
    for (int turn = 0; turn < 2000 && calls_done != calls_begun; turn++)
        usleep(50);
}

#define TRAP_FLAG_ON() __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc")
#define TRAP_FLAG_OFF() __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc")

static void *be_stepped(void *frees)
{
    if (frees != NULL) {
        SetLastError(UNTOUCHED);
        TRAP_FLAG_ON();
        BOOL freed = HeapFree(heap, 0, &wanted);
        TRAP_FLAG_OFF();
        return freed || GetLastError() != ERROR_INVALID_PARAMETER ? "the last error is another thread's" : NULL;
    }
    volatile DWORD code = 0;
    __try {
        TRAP_FLAG_ON();
        HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge);
        TRAP_FLAG_OFF();
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        TRAP_FLAG_OFF();
        code = GetExceptionCode();
    }
    return code != STATUS_NO_MEMORY ? "the exception is another thread's" : NULL;
}

TEST("a thread's first call fails in its own way, whatever others do at any instruction of it")
{
    heap = new_heap();
    struct sigaction action = { .sa_handler = step }, before;
    sigaction(SIGTRAP, &action, &before);
    sem_init(&wanted, 0, 0);
    pthread_t others;
    pthread_create(&others, NULL, fail_at_each_step, NULL);
    for (intptr_t frees = 0; frees < 2; frees++) {
        pthread_t thread;
        void *wrong;
        pthread_create(&thread, NULL, be_stepped, (void *)frees);
        pthread_join(thread, &wrong);
        if (wrong != NULL)
            fprintf(stderr, "%s\n", (char *)wrong);
        CHECK(wrong == NULL);
    }
    CHECK(calls_begun > 100 && step_count > 100);
    while (calls_done != calls_begun)
        usleep(50);
    CHECK_EQUAL(0, calls_wrong);
    calls_begun = -1;
    sem_post(&wanted);
    pthread_join(others, NULL);
    sigaction(SIGTRAP, &before, NULL);
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
