/* RtlCreateHeap, RtlDestroyHeap, RtlGetProcessHeaps, RtlValidateHeap, RtlLockHeap, RtlUnlockHeap, RtlCompactHeap and RtlZeroHeap. */
#include "rtl.h"

#if defined(_WIN32)
#define DEFINE_RTL(result, name, parameters) result (NTAPI *name) parameters;
RTL_FUNCTIONS(DEFINE_RTL)

__attribute__((constructor)) static void find_rtl_functions(void)
{
    HMODULE library = GetModuleHandleA("ntdll.dll");
#define FIND_RTL(result, name, parameters) name = (void *)GetProcAddress(library, #name);
    RTL_FUNCTIONS(FIND_RTL)
}
#endif

HANDLE rtl_heap(void) { return RtlCreateHeap(GROWABLE, NULL, 0, 0, NULL, NULL); }

/* Creates, looks whether the heap serves, destroys. */
static const char *created(ULONG flags, SIZE_T reserve, SIZE_T commit, PVOID lock, PVOID parameters)
{
    HANDLE heap = RtlCreateHeap(flags, NULL, reserve, commit, lock, parameters);
    if (heap == NULL)
        return "NULL";
    void *block = RtlAllocateHeap(heap, 0, 100);
    const char *serves = block == NULL ? "a heap without room" : RtlSizeHeap(heap, 0, block) == 100 ? "a heap" : "a heap of wrong sizes";
    return RtlDestroyHeap(heap) == NULL ? serves : "a heap that stays";
}

#define OBSERVE_CREATION(name, ...) observe_result(name, RAISED_OR((forget_error(), created(__VA_ARGS__))))

static int grows(HANDLE heap)
{
    int count = 0;
    while (count < 64 && RtlAllocateHeap(heap, 0, 64 * KiB) != NULL)
        count++;
    return count == 64;
}

static void create_by_bit(int bit) { OBSERVE_CREATION(named("bit %d", bit), 1u << bit, 256 * KiB, 0, NULL, NULL); }

void rtl_create_heap(void)
{
    static ULONG no_parameters[24];
    OBSERVE_CREATION("growable", GROWABLE, 0, 0, NULL, NULL);
    OBSERVE_CREATION("growable, reserve 1 MiB, commit 64 KiB", GROWABLE, 1 * MiB, 64 * KiB, NULL, NULL);
    OBSERVE_CREATION("growable, commit only", GROWABLE, 0, 100 * KiB, NULL, NULL);
    OBSERVE_CREATION("growable, commit above reserve", GROWABLE, 64 * KiB, 1 * MiB, NULL, NULL);
    OBSERVE_CREATION("not growable, reserve 256 KiB", 0, 256 * KiB, 0, NULL, NULL);
    OBSERVE_CREATION("not growable, reserve and commit 256 KiB", 0, 256 * KiB, 256 * KiB, NULL, NULL);
    OBSERVE_CREATION("not growable, reserve 0", 0, 0, 0, NULL, NULL);
    OBSERVE_CREATION("not growable, commit above reserve", 0, 64 * KiB, 256 * KiB, NULL, NULL);
    OBSERVE_CREATION("no serialize", GROWABLE | HEAP_NO_SERIALIZE, 0, 0, NULL, NULL);
    OBSERVE_CREATION("parameters without a length", GROWABLE, 0, 0, NULL, no_parameters);
    OBSERVE_CREATION("parameters that are not there", GROWABLE, 0, 0, NULL, (PVOID)(INT_PTR)(INT)0xDEADBEE0);
    OBSERVE_CREATION("no serialize with a lock", GROWABLE | HEAP_NO_SERIALIZE, 0, 0, (PVOID)(INT_PTR)(INT)0xDEADBEE0, NULL);
    void *memory = VirtualAlloc(NULL, 1 * MiB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    observe("memory of the caller's", "%s", RtlCreateHeap(0, memory, 1 * MiB, 1 * MiB, NULL, NULL) != NULL ? "a heap" : "NULL");
    for (int bit = 0; bit < 32; bit++)
        if (1u << bit != HEAP_GENERATE_EXCEPTIONS)
            create_by_bit(bit);
    HANDLE growable = RtlCreateHeap(GROWABLE, NULL, 64 * KiB, 0, NULL, NULL);
    observe("growable, holds more than its reserve", "%s", yes(grows(growable)));
    RtlDestroyHeap(growable);
    HANDLE bounded = RtlCreateHeap(0, NULL, 256 * KiB, 0, NULL, NULL);
    observe("not growable, holds more than its reserve", "%s", yes(grows(bounded)));
    RtlDestroyHeap(bounded);
    HANDLE zeroing = RtlCreateHeap(GROWABLE | HEAP_ZERO_MEMORY, NULL, 0, 0, NULL, NULL);
    int zero = 1;
    for (int i = 0; i < 100; i++) {
        char *block = RtlAllocateHeap(zeroing, 0, 100);
        zero &= all_bytes(block, 100, 0);
        memset(block, 'x', 100);
        RtlFreeHeap(zeroing, 0, block);
    }
    observe("created with HEAP_ZERO_MEMORY, every block is zero", "%s", yes(zero));
    RtlDestroyHeap(zeroing);
    ULONG count = GetProcessHeaps(0, NULL);
    HANDLE listed = rtl_heap();
    observe("is a heap of the process", "%s", yes(GetProcessHeaps(0, NULL) == count + 1));
    void *block = HeapAlloc(listed, 0, 50);
    observe("serves HeapAlloc and HeapSize", "%s", yes(block != NULL && HeapSize(listed, 0, block) == 50));
    observe("HeapDestroy destroys it", "%s", yes(HeapDestroy(listed)));
}

static const char *which_heap(HANDLE result, HANDLE heap) { return result == NULL ? "NULL" : result == heap ? "the heap" : "something else"; }

static void destroy(const char *name, HANDLE heap) { observe_result(name, RAISED_OR((forget_error(), which_heap(RtlDestroyHeap(heap), heap)))); }

static HANDLE filled_heap(void)
{
    HANDLE heap = rtl_heap();
    for (int i = 0; i < 100; i++)
        RtlAllocateHeap(heap, 0, i * 100);
    return heap;
}

static HANDLE locked_heap(void)
{
    HANDLE heap = rtl_heap();
    RtlLockHeap(heap);
    return heap;
}

void rtl_destroy_heap(void)
{
    destroy("empty", rtl_heap());
    destroy("with live blocks", filled_heap());
    destroy("of HeapCreate", HeapCreate(0, 0, 0));
    destroy("of HeapCreate, bounded", HeapCreate(0, 0, 100 * KiB));
    destroy("locked by this thread", locked_heap());
    destroy("NULL", NULL);
    destroy("the process heap", GetProcessHeap());
    OBSERVE_BOOL("the process heap stays", RtlValidateHeap(GetProcessHeap(), 0, NULL));
}

void rtl_get_process_heaps(void)
{
    static PVOID heaps[4096];
    PVOID one[2] = { NULL, &one };
    ULONG before = RtlGetProcessHeaps(0, NULL);
    HANDLE first = rtl_heap(), second = rtl_heap();
    ULONG count = RtlGetProcessHeaps(4096, heaps);
    observe("two heaps are two more", "%s", yes(count == before + 2));
    observe("asked for none, the same count", "%s", yes(RtlGetProcessHeaps(0, NULL) == count));
    observe("asked for all, first is the process heap", "%s", yes(heaps[0] == GetProcessHeap()));
    int has_first = 0, has_second = 0;
    for (ULONG i = 0; i < count; i++)
        has_first |= heaps[i] == first, has_second |= heaps[i] == second;
    observe("asked for all, has both", "%s", yes(has_first && has_second));
    observe("the last are the newest, in their order", "%s", yes(heaps[count - 2] == first && heaps[count - 1] == second));
    observe("asked for 1, the same count", "%s", yes(RtlGetProcessHeaps(1, one) == count));
    observe("asked for 1, stores one", "%s", yes(one[0] == GetProcessHeap()));
    observe("asked for 1, leaves the rest alone", "%s", yes(one[1] == &one));
    RtlDestroyHeap(first);
    RtlDestroyHeap(second);
    observe("destroyed, as many as before", "%s", yes(RtlGetProcessHeaps(0, NULL) == before));
}

void rtl_validate_heap(void)
{
    static char memory[64];
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *block = RtlAllocateHeap(heap, 0, 100), *empty = RtlAllocateHeap(heap, 0, 0), *large = RtlAllocateHeap(heap, 0, 2 * MiB);
    OBSERVE_BOOL("the heap", RtlValidateHeap(heap, 0, NULL));
    OBSERVE_BOOL("the heap, all flags", RtlValidateHeap(heap, 0xFFFFFFFF & ~HEAP_GENERATE_EXCEPTIONS, NULL));
    OBSERVE_BOOL("a block", RtlValidateHeap(heap, 0, block));
    OBSERVE_BOOL("a block of 0 bytes", RtlValidateHeap(heap, 0, empty));
    OBSERVE_BOOL("a large block", RtlValidateHeap(heap, 0, large));
    OBSERVE_BOOL("another heap's block", RtlValidateHeap(other, 0, block));
    OBSERVE_BOOL("inside a block", RtlValidateHeap(heap, 0, block + 16));
    OBSERVE_BOOL("inside a large block", RtlValidateHeap(heap, 0, large + 4096));
    OBSERVE_BOOL("misaligned", RtlValidateHeap(heap, 0, block + 1));
    OBSERVE_BOOL("static memory", RtlValidateHeap(heap, 0, memory + (16 - (uintptr_t)memory % 16)));
    OBSERVE_BOOL("unmapped", RtlValidateHeap(heap, 0, (PVOID)(INT_PTR)(INT)0xDEADBEE0));
    OBSERVE_BOOL("no heap", RtlValidateHeap(NULL, 0, NULL));
    RtlFreeHeap(heap, 0, block);
    OBSERVE_BOOL("a freed block", RtlValidateHeap(heap, 0, block));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

struct holder { HANDLE heap; int result; };
static void allocate_there(void *holder_)
{
    struct holder *holder = holder_;
    holder->result = RtlAllocateHeap(holder->heap, 0, 100) != NULL;
}

static void allocate_unserialized(void *holder_)
{
    struct holder *holder = holder_;
    holder->result = RtlAllocateHeap(holder->heap, HEAP_NO_SERIALIZE, 100) != NULL;
}

static void lock_there(void *holder_)
{
    struct holder *holder = holder_;
    holder->result = RtlLockHeap(holder->heap) && RtlUnlockHeap(holder->heap);
}

static void who_waits(const char *name, HANDLE heap, void (*function)(void *))
{
    struct holder holder = { heap, 0 };
    RtlLockHeap(heap);
    struct other *other = start(function, &holder);
    observe(named("%s, waits", name), "%s", yes(is_waiting(other)));
    RtlUnlockHeap(heap);
    finish(other);
    observe(named("%s, succeeds in the end", name), "%s", yes(holder.result));
}

void rtl_lock_heap(void)
{
    HANDLE heap = rtl_heap();
    OBSERVE_BOOL("a heap", RtlLockHeap(heap));
    OBSERVE_BOOL("a heap, again", RtlLockHeap(heap));
    OBSERVE_NULL("the owner allocates", RtlAllocateHeap(heap, 0, 10));
    RtlUnlockHeap(heap);
    RtlUnlockHeap(heap);
    who_waits("another thread's allocation", heap, allocate_there);
    who_waits("another thread's lock", heap, lock_there);
    who_waits("another thread's allocation without serialization", heap, allocate_unserialized);
    OBSERVE_BOOL("no heap", RtlLockHeap(NULL));
    HANDLE loose = RtlCreateHeap(GROWABLE | HEAP_NO_SERIALIZE, NULL, 0, 0, NULL, NULL);
    OBSERVE_BOOL("a heap without serialization", RtlLockHeap(loose));
    RtlDestroyHeap(loose);
    RtlDestroyHeap(heap);
}

void rtl_unlock_heap(void)
{
    HANDLE heap = rtl_heap();
    RtlLockHeap(heap);
    OBSERVE_BOOL("a locked heap", RtlUnlockHeap(heap));
    struct holder holder = { heap, 0 };
    on_thread(allocate_there, &holder);
    observe("a locked heap, serves other threads again", "%s", yes(holder.result));
    OBSERVE_BOOL("no heap", RtlUnlockHeap(NULL));
    HANDLE loose = RtlCreateHeap(GROWABLE | HEAP_NO_SERIALIZE, NULL, 0, 0, NULL, NULL);
    OBSERVE_BOOL("a heap without serialization", RtlUnlockHeap(loose));
    RtlDestroyHeap(loose);
    RtlDestroyHeap(heap);
}

void rtl_compact_heap(void)
{
    HANDLE heap = rtl_heap();
    void *block = RtlAllocateHeap(heap, 0, 100 * KiB);
    RtlFreeHeap(heap, 0, block);
    observe("after a free of 100 KiB, finds as much", "%s", yes(RtlCompactHeap(heap, 0) >= 100 * KiB));
    OBSERVE_NUMBER("no heap", RtlCompactHeap(NULL, 0));
    OBSERVE_BOOL("the heap is sound after it", RtlValidateHeap(heap, 0, NULL));
    RtlDestroyHeap(heap);
}

void rtl_zero_heap(void)
{
    HANDLE heap = rtl_heap();
    char *block = RtlAllocateHeap(heap, 0, 100);
    memset(block, 'x', 100);
    OBSERVE_STATUS("a heap", RtlZeroHeap(heap, 0));
    observe("a heap, live blocks stay", "%s", yes(all_bytes(block, 100, 'x')));
    RtlDestroyHeap(heap);
}
