/* The stacks that checked heaps note, beside those that the compiler's own unwinder sees. Linked with a library of the three files of the shim that capture
 * them, and built without frame pointers, like the programs of a distribution. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>
#include <unwind.h>

int ph_capture_stack(uintptr_t *frames, int capacity);

enum { MOST = 64 };

struct stack {
    uintptr_t frames[MOST];
    int count;
};

static _Unwind_Reason_Code see_frame(struct _Unwind_Context *context, void *state)
{
    struct stack *stack = state;
    int is_interrupted = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &is_interrupted);
    if (address != 0)
        stack->frames[stack->count++] = address + (is_interrupted != 0);
    return stack->count < MOST ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

/* The two are called from here, so the first frame differs. */
static __attribute__((noinline)) void compare(const char *where, int least)
{
    struct stack ours, theirs = { .count = 0 };
    _Unwind_Backtrace(see_frame, &theirs);
    ours.count = ph_capture_stack(ours.frames, MOST);
    int is_same = ours.count == theirs.count;
    for (int index = 1; is_same && index < ours.count; index++)
        is_same = ours.frames[index] == theirs.frames[index];
    if (!is_same || ours.count < least)
        fprintf(stderr, "%s: %d frames, the compiler's unwinder sees %d\n", where, ours.count, theirs.count);
    CHECK(is_same);
    CHECK(ours.count >= least);
}

static __attribute__((noinline)) int recurse(int depth, const char *where)
{
    volatile int here = depth;
    if (depth == 0)
        compare(where, 4);
    else
        recurse(depth - 1, where);
    return here;
}

TEST("a stack is the one that the compiler's unwinder sees")
{
    recurse(0, "one call");
    recurse(5, "calls");
    recurse(100, "more calls than fit");
    recurse(5, "the same again");
}

static __attribute__((noinline)) void take_room(size_t bytes)
{
    volatile char *room = __builtin_alloca(bytes);
    room[0] = 1;
    compare("a frame of any size", 3);
    room[bytes - 1] = 1;
}

static __attribute__((noinline)) void realign(size_t bytes)
{
    volatile char aligned[256] __attribute__((aligned(128)));
    volatile char *room = __builtin_alloca(bytes);
    room[0] = aligned[255] = 1;
    compare("a stack that was realigned", 3);
    room[bytes - 1] = aligned[0] = aligned[255];
}

TEST("frames of any size and alignment are no obstacle")
{
    take_room(100);
    take_room(100000);
    realign(100);
    realign(3000);
}

static void on_signal(int signal) { (void)signal, recurse(2, "a signal handler"); }

static void handle_on(int flags)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

TEST("a stack goes on below a signal handler, on its own stack too")
{
    static char memory[1 << 16];
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
    sigaltstack(&stack, NULL);
    handle_on(0);
    handle_on(SA_ONSTACK);
}

static sigjmp_buf after_fault;
static void on_fault(int signal)
{
    (void)signal;
    compare("a fault", 4);
    siglongjmp(after_fault, 1);
}

TEST("a stack goes on below a fault")
{
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(after_fault, 1) == 0)
        *(volatile char *)16 = 1;
}

static int order(const void *one, const void *other)
{
    compare("a callback of the C library", 5);
    return *(const int *)one - *(const int *)other;
}

static void *run_thread(void *argument)
{
    recurse(3, argument);
    handle_on(0);
    return NULL;
}

TEST("threads and callbacks have their stacks")
{
    int numbers[] = { 3, 1, 2 };
    qsort(numbers, 3, sizeof *numbers, order);
    pthread_t thread;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, run_thread, "a thread"));
    pthread_join(thread, NULL);
}

#if defined __x86_64__
/* What a just-in-time compiler makes: no tables, but a frame pointer. What hand-written code is like at its worst: neither. */
__asm__(".text\n.type with_frame_pointer, @function\nwith_frame_pointer: push %rbp\nmov %rsp, %rbp\nsub $64, %rsp\ncall *%rdi\nleave\nret\n"
        ".size with_frame_pointer, .-with_frame_pointer\n"
        ".type with_nothing, @function\nwith_nothing: push %rbp\nmov %rsi, %rbp\ncall *%rdi\npop %rbp\nret\n.size with_nothing, .-with_nothing\n");
void with_frame_pointer(void (*)(void));
void with_nothing(void (*)(void), uintptr_t frame_pointer);

static struct stack captured;
static __attribute__((noinline)) void capture(void) { captured.count = ph_capture_stack(captured.frames, MOST); }

static int holds(uintptr_t from, uintptr_t bytes)
{
    for (int index = 0; index < captured.count; index++)
        if (captured.frames[index] - from < bytes)
            return index + 1;
    return 0;
}

static __attribute__((noinline)) void call_with_frame_pointer(void)
{
    with_frame_pointer(capture);
    __asm__ volatile("");
}

TEST("a stack goes on behind code that only keeps a frame pointer")
{
    call_with_frame_pointer();
    int inner = holds((uintptr_t)with_frame_pointer, 16), outer = holds((uintptr_t)call_with_frame_pointer, 32);
    CHECK(inner > 0);
    CHECK_EQUAL(inner + 1, outer);
    CHECK(captured.count > outer + 1);
}

TEST("a stack ends where nobody can tell how it goes on, and nothing is touched that is not there")
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t wild[] = { 0, 8, 16, here + 1, here + (1 << 20), (uintptr_t)-16, 0x0000800000000000, 0xdead00000000, (uintptr_t)main, here };
    for (size_t index = 0; index < sizeof wild / sizeof *wild; index++) {
        with_nothing(capture, wild[index]);
        CHECK(holds((uintptr_t)with_nothing, 16) > 0);
    }
}

/* Smashes its own frame, as an overrun of an array on the stack does, and puts it right again before it returns. */
static __attribute__((noinline)) void smash(unsigned seed)
{
    uintptr_t *frame = (uintptr_t *)__builtin_frame_address(0);
    uintptr_t saved[8];
    for (int index = 0; index < 8; index++) {
        saved[index] = frame[index];
        seed = seed * 1103515245 + 12345;
        uintptr_t values[] = { 0x4141414141414141, seed, (uintptr_t)frame + seed % 65536 * 8, (uintptr_t)smash + seed % 64, saved[index] };
        frame[index] = values[seed / 65536 % 5];
    }
    capture();
    for (int index = 0; index < 8; index++)
        frame[index] = saved[index];
}

TEST("a stack that was overwritten is walked without harm")
{
    for (unsigned seed = 1; seed <= 2000; seed++)
        smash(seed);
    CHECK(captured.count > 0);
}
#endif

TEST("no more frames are given than there is room for")
{
    uintptr_t frames[4] = { 0 };
    CHECK_EQUAL(0, ph_capture_stack(frames, 0));
    CHECK_EQUAL(3, ph_capture_stack(frames, 3));
    CHECK(frames[0] != 0 && frames[2] != 0 && frames[3] == 0);
}

static void *capture_again(void *argument)
{
    for (int turn = 0; turn < 2000 && check_failures == 0; turn++)
        recurse(turn % 8, argument);
    return NULL;
}

TEST("threads that walk at the same time do not mix up what they remember")
{
    pthread_t threads[4];
    for (int index = 0; index < 4; index++)
        CHECK_EQUAL(0, pthread_create(&threads[index], NULL, capture_again, "a thread among others"));
    for (int index = 0; index < 4; index++)
        pthread_join(threads[index], NULL);
}
