/* Signals at every instruction of the allocator, whose handler uses the heap that it has interrupted. The parent steps a child through marked
 * stretches, one instruction at a time (ptrace), and sends SIGUSR1 where it wants to; so each case runs at exactly the places that it names. */
#include "heap_check.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#if !defined(__x86_64__)
#error "The marks are instructions of x86-64."
#endif

/* Stops the child, for the parent to see in which register: BEGIN and END of a stretch, or RETURN of the handler. */
enum { BEGIN = 1, END = 2, RETURN = 3 };
#define MARK(which) __asm__ volatile("int3" : : "a"(which) : "memory")

enum { LIVE = 1000 };

/* Whose functions are tried: a heap by its handle, or malloc if that is ours. */
static HANDLE heap;
static void *take(size_t bytes) { return heap != NULL ? HeapAlloc(heap, 0, bytes) : malloc(bytes); }
static void give(void *block) { if (heap == NULL) free(block); else CHECK(HeapFree(heap, 0, block)); }
static void *resize(void *block, size_t bytes) { return heap != NULL ? HeapReAlloc(heap, 0, block, bytes) : realloc(block, bytes); }

/* Every block that lives, filled by its number; the handler takes, changes and gives back blocks of the thread that it has interrupted. */
static struct live { unsigned char *block; unsigned short bytes; unsigned char value; } live[LIVE];
static int live_count;
static unsigned char next_value;
static volatile int handled;

static void keep(unsigned char *block, unsigned bytes)
{
    if (block == NULL || live_count == LIVE) {
        fprintf(stderr, "no block of %u bytes, or too many\n", bytes);
        _exit(3);
    }
    memset(block, ++next_value, bytes);
    live[live_count++] = (struct live){ block, bytes, next_value };
}

static void drop(int i)
{
    struct live gone = live[i];
    live[i] = live[--live_count];
    if (!all_bytes(gone.block, gone.bytes, gone.value)) {
        fprintf(stderr, "a block of %u bytes was handed out twice or overwritten\n", gone.bytes);
        _exit(4);
    }
    give(gone.block);
}

/* The sizes that the stretch and the handler ask for. */
static size_t stretch_bytes, handler_bytes;

static void handle(int signal)
{
    (void)signal;
    handled++;
    keep(take(handler_bytes), handler_bytes);
    keep(take(40), 40);
    drop(live_count - 1);
    if (live_count > 2)
        drop(handled % (live_count - 2));
    if (handled % 4 == 0) {
        struct live *last = &live[live_count - 1];
        unsigned bytes = last->bytes % 700 + 1;
        CHECK(all_bytes(last->block, last->bytes, last->value));
        last->block = resize(last->block, bytes);
        last->bytes = bytes;
        memset(last->block, last->value, bytes);
    }
    MARK(RETURN);
}

/* What happens between the marks. The handler does not know these blocks. */
static void pair(void) { give(take(stretch_bytes)); }
static void grow(void) { give(resize(take(stretch_bytes), stretch_bytes * 3)); }

static void fill(void)
{
    void *blocks[24];
    for (int i = 0; i < 24; i++)
        blocks[i] = take(stretch_bytes);
    for (int i = 0; i < 24; i++)
        give(blocks[i]);
}

static volatile int *enough; /* shared: the parent has seen what it wanted */

/* The child: stretches until the parent says so, then everything is checked. */
static void be_stepped(void (*stretch)(void))
{
    struct sigaction action = { .sa_handler = handle };
    sigaction(SIGUSR1, &action, NULL);
    check_failures = 0;
    for (int i = 0; i < 30; i++) {
        keep(take(handler_bytes), handler_bytes);
        keep(take(1000), 1000);
    }
    for (int i = 0; i < 30; i++)
        stretch();
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    while (!*enough) {
        alarm(30);
        MARK(BEGIN);
        stretch();
        MARK(END);
        while (live_count > 60)
            drop(live_count - 1);
    }
    while (live_count > 0)
        drop(live_count - 1);
    CHECK(HeapValidate(heap != NULL ? heap : GetProcessHeap(), 0, NULL));
    _exit(check_failures != 0);
}

struct place { unsigned long long instruction, stack; };

static struct place place_of(pid_t child)
{
    struct user_regs_struct registers = { 0 };
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    return (struct place){ registers.rip, registers.rsp };
}

/* Lets the child go on and waits for its next stop: a mark, 0 after a step, or -1 when it has ended or is about to. */
static int go_on(pid_t child, enum __ptrace_request how, int signal, int *status)
{
    siginfo_t news;
    ptrace(how, child, NULL, (void *)(intptr_t)signal);
    if (waitpid(child, status, 0) != child || !WIFSTOPPED(*status) || WSTOPSIG(*status) != SIGTRAP)
        return -1;
    if (ptrace(PTRACE_GETSIGINFO, child, NULL, &news) != 0 || news.si_code != SI_KERNEL)
        return 0;
    return (int)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rax), NULL);
}

/* The handler runs to its end, and the child by steps back to where it was interrupted. */
static int interrupt(pid_t child, int *status)
{
    struct place before = place_of(child), now;
    int mark = go_on(child, PTRACE_CONT, SIGUSR1, status);
    if (mark != RETURN)
        return -1;
    do {
        mark = go_on(child, PTRACE_SINGLESTEP, 0, status);
        now = place_of(child);
    } while (mark == 0 && (now.instruction != before.instruction || now.stack != before.stack));
    return mark;
}

/* Steps through stretches. With stride 0 a signal comes at every instruction of each of the given number of them; else stretch n is interrupted
 * once, at its instruction n * stride, until a stretch is over before that. */
static void step_through(void (*stretch)(void), size_t bytes, size_t bytes_of_handler, int stretches, int stride)
{
    int status = 0, mark, all = 0;
    long steps = 0, signals = 0;
    stretch_bytes = bytes;
    handler_bytes = bytes_of_handler;
    enough = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        be_stepped(stretch);
    waitpid(child, &status, 0);
    mark = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP ? BEGIN : -1;
    for (int number = 0; mark == BEGIN && !all; number++) {
        long step = 0;
        for (mark = 0; mark == 0; step++) {
            if (stride == 0 || step == (long)number * stride) {
                signals++;
                mark = interrupt(child, &status);
            }
            if (mark == 0)
                mark = go_on(child, PTRACE_SINGLESTEP, 0, &status);
        }
        steps += step;
        all = stride == 0 ? number + 1 == stretches : step <= (long)number * stride;
        *enough = all;
        if (mark == END)
            mark = go_on(child, PTRACE_CONT, 0, &status);
    }
    if (WIFSTOPPED(status)) {
        struct place place = place_of(child);
        fprintf(stderr, "stopped by signal %d at %llx\n", WSTOPSIG(status), place.instruction);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    if (status != 0 || getenv("VERBOSE"))
        fprintf(stderr, "%zu bytes, stride %d: %ld signals in %ld steps, status 0x%x\n", bytes, stride, signals, steps, status);
    CHECK(all);
    CHECK_EQUAL(0, status);
    munmap((void *)enough, 4096);
}

static void at_every_instruction(void)
{
    /* The fast paths, each instruction by itself and all of them in turn; then what takes locks. */
    step_through(pair, 40, 40, 0, 1);
    step_through(pair, 40, 40, 2, 0);
    step_through(pair, 5000, 5000, 0, 7);
    step_through(fill, 2000, 40, 1, 0);
    step_through(fill, 2000, 2000, 0, 997);
    step_through(grow, 100, 100, 1, 0);
    step_through(pair, 300000, 40, 1, 0);
}

TEST("a handler may use the process heap that it has interrupted at any instruction")
{
    heap = GetProcessHeap();
    at_every_instruction();
}

TEST("a handler may use the private heap that it has interrupted at any instruction")
{
    heap = new_heap();
    at_every_instruction();
}

/* The C library's own malloc promises nothing of the kind. */
TEST("a handler may call malloc, realloc and free wherever it has interrupted them")
{
    Dl_info library;
    if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library) != 0 && strstr(library.dli_fname, "privateheaps") != NULL)
        at_every_instruction();
    else
        CHECK(dlsym(RTLD_DEFAULT, "malloc") != NULL);
}
