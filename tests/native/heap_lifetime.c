/* HeapCreate, HeapDestroy, GetProcessHeap, GetProcessHeaps, HeapLock, HeapUnlock. */
#include "heap_check.h"
#include <pthread.h>
#include <sys/mman.h>

TEST("HeapCreate takes every option bit and leaves the last error alone")
{
    for (int bit = 0; bit < 32; bit++) {
        HANDLE heap;
        CHECK_ERROR(UNTOUCHED, (heap = HeapCreate((DWORD)1 << bit, 0, 0)) != NULL);
        void *block = HeapAlloc(heap, 0, 100);
        CHECK(block != NULL);
        CHECK(HeapFree(heap, 0, block));
        CHECK(HeapDestroy(heap));
    }
}

TEST("HeapCreate serves every combination of sizes")
{
    SIZE_T initial[] = { 0, 1, 4096, 100000, MiB }, maximum[] = { 0, 1, 4096, 65536, 10 * MiB };
    for (int i = 0; i < 5; i++)
        for (int m = 0; m < 5; m++) {
            HANDLE heap = HeapCreate(0, initial[i], maximum[m]);
            CHECK(heap != NULL);
            CHECK(HeapAlloc(heap, 0, 16) != NULL);
            CHECK(HeapDestroy(heap));
        }
}

TEST("HeapCreate of more than the address space fails with error 8")
{
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, 0, (SIZE_T)1 << 62) == NULL);
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(0, (SIZE_T)-1, 0) == NULL);
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, (SIZE_T)-1) == NULL);
}

static SIZE_T fill(HANDLE heap, SIZE_T smallest, SIZE_T largest)
{
    unsigned seed = 7;
    SIZE_T total = 0;
    for (;;) {
        SIZE_T bytes = smallest + rand_r(&seed) % (largest - smallest + 1);
        void *block = HeapAlloc(heap, 0, bytes);
        if (block == NULL)
            return total;
        memset(block, 0xEE, bytes);
        total += bytes;
    }
}

TEST("a heap with a maximum never exceeds it and gives most of it to the caller")
{
    HANDLE heap = HeapCreate(0, 0, MiB);
    SIZE_T filled = fill(heap, 16, 2000);
    CHECK(filled <= MiB);
    CHECK(filled >= MiB * 88 / 100);
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    CHECK(HeapSummary(heap, 0, &summary));
    CHECK_EQUAL(filled, summary.cbAllocated);
    CHECK_EQUAL(MiB, summary.cbMaxReserve);
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapDestroy(heap));
    heap = HeapCreate(0, 0, 64 * KiB);
    filled = fill(heap, 16, 2000);
    CHECK(filled <= 64 * KiB);
    CHECK(filled >= 64 * KiB * 75 / 100);
    CHECK(HeapDestroy(heap));
    heap = HeapCreate(0, 0, 4096);
    filled = fill(heap, 16, 64);
    CHECK(filled > 0 && filled <= 4096);
    CHECK(HeapDestroy(heap));
}

TEST("the blocks of a heap with a maximum lie in one range")
{
    HANDLE heap = HeapCreate(0, 0, MiB);
    uintptr_t lowest = UINTPTR_MAX, highest = 0;
    char *block;
    while ((block = HeapAlloc(heap, 0, 1000)) != NULL) {
        lowest = (uintptr_t)block < lowest ? (uintptr_t)block : lowest;
        highest = (uintptr_t)block + 1000 > highest ? (uintptr_t)block + 1000 : highest;
    }
    CHECK(highest - lowest <= MiB);
    CHECK(HeapDestroy(heap));
}

TEST("a full heap with a maximum serves again after a free")
{
    HANDLE heap = HeapCreate(0, 0, 64 * KiB);
    void *blocks[1000];
    int count = 0;
    while (count < 1000 && (blocks[count] = HeapAlloc(heap, 0, 500)) != NULL)
        count++;
    CHECK(count > 0 && count < 1000);
    for (int i = 0; i < count; i++)
        CHECK(HeapFree(heap, 0, blocks[i]));
    CHECK(HeapAlloc(heap, 0, 30000) != NULL);
    CHECK(HeapDestroy(heap));
}

TEST("memory of an executable heap runs")
{
#if defined __x86_64__
    static const unsigned char code[] = { 0xB8, 42, 0, 0, 0, 0xC3 }; /* mov eax, 42; ret */
    HANDLE heap = HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
    for (SIZE_T bytes = 16; bytes <= 10 * MiB; bytes *= 100) {
        void *block = HeapAlloc(heap, 0, bytes);
        memcpy(block, code, sizeof code);
        CHECK_EQUAL(42, ((int (*)(void))block)());
    }
    CHECK(HeapDestroy(heap));
#endif
}

TEST("HeapDestroy frees a heap with a million live blocks, and its handle is dead")
{
    HANDLE heap = new_heap();
    void *block = NULL;
    for (int i = 0; i < 1000000; i++)
        if ((block = HeapAlloc(heap, 0, 32)) == NULL)
            break;
    CHECK(block != NULL);
    CHECK_ERROR(UNTOUCHED, HeapDestroy(heap));
    CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapDestroy(heap));
    CHECK(HeapAlloc(heap, 0, 16) == NULL);
    CHECK(!HeapFree(heap, 0, block));
    CHECK(!HeapValidate(heap, 0, block));
}

TEST("HeapDestroy refuses the process heap and bad handles, and takes null")
{
    CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapDestroy(GetProcessHeap()));
    void *block = HeapAlloc(GetProcessHeap(), 0, 10);
    CHECK(block != NULL && HeapFree(GetProcessHeap(), 0, block));
    CHECK_ERROR(UNTOUCHED, HeapDestroy(NULL));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapDestroy(bad_handle(i)));
}

TEST("HeapDestroy destroys a heap that its thread has locked")
{
    HANDLE heap = new_heap();
    CHECK(HeapLock(heap));
    CHECK_ERROR(UNTOUCHED, HeapDestroy(heap));
}

TEST("a destroyed heap's slot serves new heaps under new handles")
{
    HANDLE first = new_heap();
    CHECK(HeapDestroy(first));
    for (int i = 0; i < 3000; i++) {
        HANDLE next = HeapCreate(0, 0, i % 2 ? 0 : 64 * KiB);
        CHECK(next != NULL && next != first);
        void *block = HeapAlloc(next, 0, 100);
        CHECK(block != NULL && !HeapFree(first, 0, block));
        CHECK(HeapDestroy(next));
    }
}

TEST("GetProcessHeap is one handle for ever")
{
    HANDLE heap;
    CHECK_ERROR(UNTOUCHED, (heap = GetProcessHeap()) != NULL);
    CHECK(heap == GetProcessHeap());
}

TEST("GetProcessHeaps lists the heaps by age and never writes beyond its array")
{
    HANDLE heaps[64];
    DWORD before = GetProcessHeaps(0, NULL);
    CHECK(before >= 1);
    HANDLE a = new_heap(), b = new_heap(), c = new_heap();
    CHECK_ERROR(UNTOUCHED, GetProcessHeaps(64, heaps) == before + 3);
    CHECK(heaps[0] == GetProcessHeap());
    CHECK(heaps[before] == a && heaps[before + 1] == b && heaps[before + 2] == c);
    for (int i = 0; i < 64; i++)
        heaps[i] = (HANDLE)0x5A5A;
    CHECK_EQUAL(before + 3, GetProcessHeaps(1, heaps));
    CHECK(heaps[0] == GetProcessHeap() && heaps[1] == (HANDLE)0x5A5A);
    CHECK(HeapDestroy(b));
    CHECK_EQUAL(before + 2, GetProcessHeaps(64, heaps));
    CHECK(heaps[before] == a && heaps[before + 1] == c);
    CHECK(HeapDestroy(a) && HeapDestroy(c));
    CHECK_EQUAL(before, GetProcessHeaps(0, NULL));
}

struct visitor {
    HANDLE heap;
    void *block;
    int kind, done;
    DWORD flags;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    PROCESS_HEAP_ENTRY entry = { 0 };
    switch (visitor->kind) {
        case 0: HeapAlloc(visitor->heap, visitor->flags, 40); break;
        case 1: HeapFree(visitor->heap, visitor->flags, visitor->block); break;
        case 2: HeapReAlloc(visitor->heap, visitor->flags, visitor->block, 100000); break;
        case 3: HeapSize(visitor->heap, visitor->flags, visitor->block); break;
        case 4: HeapValidate(visitor->heap, visitor->flags, visitor->block); break;
        case 5: HeapValidate(visitor->heap, visitor->flags, NULL); break;
        case 6: HeapWalk(visitor->heap, &entry); break;
        case 7: HeapLock(visitor->heap); HeapUnlock(visitor->heap); break;
        default: HeapAlloc(visitor->heap, visitor->flags, 300 * KiB); break;
    }
    __atomic_store_n(&visitor->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Whether the operation waits while this thread holds the heap; it must end in any case once the heap is free. */
static int waits(HANDLE heap, int kind, DWORD flags)
{
    struct visitor visitor = { heap, HeapAlloc(heap, 0, 40), kind, 0, flags };
    pthread_t thread;
    HeapLock(heap);
    pthread_create(&thread, NULL, visit, &visitor);
    for (int i = 0; i < 20 && !__atomic_load_n(&visitor.done, __ATOMIC_ACQUIRE); i++)
        usleep(2000);
    int waited = !__atomic_load_n(&visitor.done, __ATOMIC_ACQUIRE);
    HeapUnlock(heap);
    pthread_join(thread, NULL);
    return waited;
}

TEST("while a thread holds a heap every other thread waits")
{
    HANDLE heap = new_heap();
    for (int kind = 0; kind <= 8; kind++)
        if (!waits(heap, kind, 0)) {
            fprintf(stderr, "operation %d\n", kind);
            CHECK(!"waited");
        }
    CHECK(HeapDestroy(heap));
}

TEST("a call with HEAP_NO_SERIALIZE does not wait")
{
    HANDLE heap = new_heap();
    CHECK(!waits(heap, 0, HEAP_NO_SERIALIZE));
    CHECK(!waits(heap, 1, HEAP_NO_SERIALIZE));
    CHECK(!waits(heap, 3, HEAP_NO_SERIALIZE));
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapDestroy(heap));
}

TEST("locks nest, and their owner uses the heap")
{
    HANDLE heap = new_heap();
    CHECK_ERROR(UNTOUCHED, HeapLock(heap));
    CHECK(HeapLock(heap));
    void *block = HeapAlloc(heap, 0, 10);
    CHECK(block != NULL);
    CHECK(HeapReAlloc(heap, 0, block, 10) == block);
    CHECK_EQUAL(10, HeapSize(heap, 0, block));
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapUnlock(heap));
    struct visitor visitor = { heap, NULL, 0, 0, 0 };
    pthread_t thread;
    pthread_create(&thread, NULL, visit, &visitor);
    usleep(20000);
    CHECK(!__atomic_load_n(&visitor.done, __ATOMIC_ACQUIRE));
    CHECK_ERROR(UNTOUCHED, HeapUnlock(heap));
    pthread_join(thread, NULL);
    CHECK_EQUAL(1, visitor.done);
    CHECK_ERROR(UNTOUCHED, HeapUnlock(heap));
    CHECK(HeapDestroy(heap));
}

TEST("locking a heap that is not serialized excludes nobody")
{
    HANDLE heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
    CHECK(!waits(heap, 0, 0));
    CHECK(HeapLock(heap) && HeapUnlock(heap) && HeapUnlock(heap));
    CHECK(HeapDestroy(heap));
}

TEST("HeapLock and HeapUnlock refuse bad handles")
{
    CHECK_ERROR(UNTOUCHED, !HeapLock(NULL));
    CHECK_ERROR(UNTOUCHED, !HeapUnlock(NULL));
    for (int i = 0; i < BAD_HANDLES; i++) {
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapLock(bad_handle(i)));
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapUnlock(bad_handle(i)));
    }
}

static void choose_observed(void)
{
    CHECK_EQUAL(HeapContractObserved, GetHeapContract());
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !SetHeapContract((HEAP_CONTRACT)3));
    CHECK_ERROR(UNTOUCHED, SetHeapContract(HeapContractDocumented) && SetHeapContract(HeapContractObserved));
    HANDLE heap = new_heap();
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, HeapAlloc(heap, 0, (SIZE_T)-1) == NULL);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, HeapSize(heap, 0, &heap) == FAILED);
    CHECK_ERROR(ERROR_ALREADY_INITIALIZED, !SetHeapContract(HeapContractDocumented));
    CHECK_ERROR(UNTOUCHED, SetHeapContract(HeapContractObserved));
    CHECK(HeapDestroy(heap));
    CHECK_ERROR(ERROR_ALREADY_INITIALIZED, !SetHeapContract(HeapContractDocumented));
}

TEST("the contract is chosen by the environment or a call, before the first heap")
{
    char errors[1000];
    CHECK_EQUAL(HeapContractDocumented, GetHeapContract());
    CHECK(SetHeapContract(HeapContractObserved));
    CHECK_EQUAL(0, run_in_child(choose_observed, errors, sizeof errors));
    fputs(errors, stderr);
}

static void ask_for_contract(void) { CHECK_EQUAL(HeapContractDocumented, GetHeapContract()); }

TEST("a wrong contract in the environment is named")
{
    char errors[500];
    setenv("PRIVATEHEAPS_CONTRACT", "windows", 1);
    CHECK_EQUAL(0, run_in_child(ask_for_contract, errors, sizeof errors));
    CHECK(strcmp(errors, "privateheaps: PRIVATEHEAPS_CONTRACT is 'windows', which is neither 'documented' nor 'observed'; 'documented' is in force.\n") == 0);
}
