/* HeapWalk, HeapCompact, HeapSummary, HeapQueryInformation, HeapSetInformation. */
#include "heap_check.h"
#include <signal.h>

struct walk { DWORD entries, regions, busy, free, uncommitted; SIZE_T busy_bytes; };

static struct walk walk_all(HANDLE heap)
{
    struct walk walk = { 0 };
    PROCESS_HEAP_ENTRY entry;
    memset(&entry, 0xCD, sizeof entry); /* only lpData counts at the start */
    entry.lpData = NULL;
    SetLastError(UNTOUCHED);
    while (HeapWalk(heap, &entry)) {
        walk.entries++;
        if (entry.wFlags & PROCESS_HEAP_REGION) {
            walk.regions++;
        } else if (entry.wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE) {
            walk.uncommitted++;
        } else if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) {
            walk.busy++;
            walk.busy_bytes += entry.cbData;
            CHECK(HeapValidate(heap, 0, entry.lpData));
            CHECK_EQUAL(entry.cbData, HeapSize(heap, 0, entry.lpData));
        } else {
            walk.free++;
            CHECK(!HeapValidate(heap, 0, entry.lpData));
        }
        if (walk.entries > 10000000) {
            CHECK(!"the walk ends");
            break;
        }
    }
    CHECK_EQUAL(ERROR_NO_MORE_ITEMS, GetLastError());
    PROCESS_HEAP_ENTRY last = entry;
    CHECK_ERROR(ERROR_NO_MORE_ITEMS, !HeapWalk(heap, &entry));
    CHECK(memcmp(&last, &entry, sizeof entry) == 0);
    return walk;
}

TEST("HeapWalk shows a region first and every live block once")
{
    HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 4 * MiB), HeapCreate(HEAP_NO_SERIALIZE, 0, 0) };
    for (int h = 0; h < 3; h++) {
        PROCESS_HEAP_ENTRY entry = { 0 };
        CHECK_ERROR(UNTOUCHED, HeapWalk(heaps[h], &entry));
        CHECK_EQUAL(PROCESS_HEAP_REGION, entry.wFlags);
        CHECK(entry.Region.lpFirstBlock != NULL && entry.Region.lpLastBlock > entry.Region.lpFirstBlock);
        CHECK_EQUAL(0, walk_all(heaps[h]).busy);
        enum { COUNT = 500 };
        void *blocks[COUNT];
        SIZE_T total = 0;
        for (int i = 0; i < COUNT; i++) {
            SIZE_T bytes = (SIZE_T)i * i % 5000;
            blocks[i] = HeapAlloc(heaps[h], 0, bytes);
            total += bytes;
        }
        struct walk walk = walk_all(heaps[h]);
        CHECK_EQUAL(COUNT, walk.busy);
        CHECK_EQUAL(total, walk.busy_bytes);
        for (int i = 0; i < COUNT; i += 2) {
            total -= HeapSize(heaps[h], 0, blocks[i]);
            CHECK(HeapFree(heaps[h], 0, blocks[i]));
        }
        walk = walk_all(heaps[h]);
        CHECK_EQUAL(COUNT / 2, walk.busy);
        CHECK_EQUAL(total, walk.busy_bytes);
        CHECK(HeapDestroy(heaps[h]));
    }
}

TEST("HeapWalk shows large blocks")
{
    HANDLE heap = new_heap();
    void *block = HeapAlloc(heap, 0, 30 * MiB);
    int seen = 0;
    PROCESS_HEAP_ENTRY entry = { 0 };
    while (HeapWalk(heap, &entry))
        if (entry.lpData == block) {
            seen++;
            CHECK_EQUAL(30 * MiB, entry.cbData);
            CHECK(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY);
        }
    CHECK_EQUAL(1, seen);
    CHECK(HeapFree(heap, 0, block));
    CHECK_EQUAL(0, walk_all(heap).busy);
    CHECK(HeapDestroy(heap));
}

TEST("HeapWalk goes on from any busy block")
{
    HANDLE heap = new_heap();
    for (int i = 0; i < 100; i++)
        HeapAlloc(heap, 0, 48);
    PROCESS_HEAP_ENTRY entry = { 0 }, copies[100];
    int count = 0;
    while (HeapWalk(heap, &entry))
        if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY && count < 100)
            copies[count++] = entry;
    CHECK_EQUAL(100, count);
    for (int i = 0; i + 1 < count; i++) {
        PROCESS_HEAP_ENTRY next = copies[i];
        do
            CHECK(HeapWalk(heap, &next));
        while (!(next.wFlags & PROCESS_HEAP_ENTRY_BUSY));
        CHECK(next.lpData == copies[i + 1].lpData);
    }
    CHECK(HeapDestroy(heap));
}

TEST("HeapWalk refuses bad arguments")
{
    PROCESS_HEAP_ENTRY entry = { 0 };
    HANDLE heap = new_heap();
    CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapWalk(NULL, &entry));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapWalk(heap, NULL));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapWalk(bad_handle(i), &entry));
    entry.lpData = &entry;
    entry.wFlags = PROCESS_HEAP_ENTRY_BUSY;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapWalk(heap, &entry));
    CHECK(HeapDestroy(heap));
}

TEST("HeapCompact tells the largest free block")
{
    HANDLE heap = HeapCreate(0, 0, 2 * MiB);
    void *block = HeapAlloc(heap, 0, 300 * KiB), *wall = HeapAlloc(heap, 0, 300 * KiB);
    CHECK(HeapFree(heap, 0, block));
    CHECK_ERROR(UNTOUCHED, HeapCompact(heap, 0) >= 300 * KiB);
    CHECK(HeapFree(heap, 0, wall));
    CHECK(HeapCompact(heap, 0) <= 2 * MiB);
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapDestroy(heap));
    CHECK_ERROR(ERROR_INVALID_HANDLE, HeapCompact(NULL, 0) == 0);
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, HeapCompact(bad_handle(i), 0) == 0);
}

TEST("HeapSummary counts requested bytes within committed within reserved")
{
    HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 2 * MiB), GetProcessHeap() };
    for (int h = 0; h < 3; h++) {
        HEAP_SUMMARY before = { .cb = sizeof before }, after = { .cb = sizeof after };
        CHECK_ERROR(UNTOUCHED, HeapSummary(heaps[h], 0, &before));
        void *small = HeapAlloc(heaps[h], 0, 777), *large = HeapAlloc(heaps[h], 0, 400 * KiB);
        CHECK(HeapSummary(heaps[h], 0, &after));
        CHECK_EQUAL(777 + 400 * KiB, after.cbAllocated - before.cbAllocated);
        CHECK(after.cbAllocated <= after.cbCommitted && after.cbCommitted <= after.cbReserved && after.cbReserved <= after.cbMaxReserve);
        CHECK(HeapFree(heaps[h], 0, small) && HeapFree(heaps[h], 0, large));
        CHECK(HeapSummary(heaps[h], 0, &after));
        CHECK_EQUAL(before.cbAllocated, after.cbAllocated);
    }
    CHECK(HeapDestroy(heaps[0]) && HeapDestroy(heaps[1]));
}

TEST("HeapSummary refuses bad arguments")
{
    HANDLE heap = new_heap();
    HEAP_SUMMARY summary = { .cb = sizeof summary - 1 };
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSummary(heap, 0, &summary));
    summary.cb = sizeof summary;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSummary(heap, 1, &summary));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSummary(heap, 0, NULL));
    CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapSummary(NULL, 0, &summary));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapSummary(bad_handle(i), 0, &summary));
    CHECK(HeapDestroy(heap));
}

TEST("HeapQueryInformation answers the compatibility question")
{
    HANDLE heap = new_heap();
    ULONG value[2] = { 99, 99 };
    SIZE_T returned = 99;
    CHECK_ERROR(UNTOUCHED, HeapQueryInformation(heap, HeapCompatibilityInformation, value, sizeof value[0], &returned));
    CHECK(value[0] == 0 || value[0] == 2);
    CHECK_EQUAL(99, value[1]);
    CHECK_EQUAL(4, returned);
    CHECK(HeapQueryInformation(heap, HeapCompatibilityInformation, value, sizeof value, NULL));
    returned = 99;
    CHECK_ERROR(ERROR_INSUFFICIENT_BUFFER, !HeapQueryInformation(heap, HeapCompatibilityInformation, NULL, 0, &returned));
    CHECK_EQUAL(4, returned);
    returned = 99;
    CHECK_ERROR(ERROR_NOACCESS, !HeapQueryInformation(NULL, HeapCompatibilityInformation, value, 4, &returned));
    CHECK_EQUAL(99, returned);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapQueryInformation(heap, (HEAP_INFORMATION_CLASS)42, value, 4, NULL));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapQueryInformation(bad_handle(i), HeapCompatibilityInformation, value, 4, NULL));
    CHECK(HeapDestroy(heap));
}

TEST("HeapSetInformation turns the low-fragmentation front end on and not off")
{
    HANDLE heap = new_heap(), bounded = HeapCreate(0, 0, MiB), unserialized = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
    ULONG value = 2;
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(heap, HeapCompatibilityInformation, &value, sizeof value));
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(heap, HeapCompatibilityInformation, &value, sizeof value));
    CHECK(HeapQueryInformation(heap, HeapCompatibilityInformation, &value, sizeof value, NULL));
    CHECK_EQUAL(2, value);
    for (value = 0; value < 4; value += value == 1 ? 2 : 1)
        CHECK_ERROR(ERROR_GEN_FAILURE, !HeapSetInformation(heap, HeapCompatibilityInformation, &value, sizeof value));
    value = 2;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSetInformation(bounded, HeapCompatibilityInformation, &value, sizeof value));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSetInformation(unserialized, HeapCompatibilityInformation, &value, sizeof value));
    CHECK_ERROR(ERROR_INSUFFICIENT_BUFFER, !HeapSetInformation(heap, HeapCompatibilityInformation, &value, 3));
    CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapSetInformation(NULL, HeapCompatibilityInformation, &value, sizeof value));
    CHECK(HeapDestroy(heap) && HeapDestroy(bounded) && HeapDestroy(unserialized));
}

static void free_twice_after_asking(void)
{
    HANDLE heap = new_heap();
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0));
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(heap, HeapEnableTerminationOnCorruption, NULL, 0));
    void *block = HeapAlloc(heap, 0, 100);
    CHECK(HeapFree(heap, 0, NULL) && HeapFree(heap, 0, block));
    HeapFree(heap, 0, block);
}

TEST("after HeapEnableTerminationOnCorruption a bad free ends the process with one sentence")
{
    char errors[500];
    int status = run_in_child(free_twice_after_asking, errors, sizeof errors);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strncmp(errors, "privateheaps: HeapFree was given 0x", 35) == 0);
    CHECK(strstr(errors, ", which was already freed.\n") != NULL);
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

TEST("HeapOptimizeResources lowers the process's resident size")
{
    HEAP_OPTIMIZE_RESOURCES_INFORMATION information = { HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION, 0 };
    for (int bounded = 0; bounded < 3; bounded++) {
        HANDLE heap = HeapCreate(0, 0, bounded == 0 ? 0 : bounded == 1 ? 64 * MiB : 8 * MiB);
        enum { COUNT = 7000 };
        static void *blocks[COUNT];
        for (int i = 0; i < COUNT; i++)
            memset(blocks[i] = HeapAlloc(heap, 0, 1000), 1, 1000);
        void *kept = HeapAlloc(heap, 0, 1000);
        memset(kept, 'k', 1000);
        for (int i = 0; i < COUNT; i++)
            HeapFree(heap, 0, blocks[i]);
        long before = resident_bytes();
        CHECK_ERROR(UNTOUCHED, HeapSetInformation(heap, HeapOptimizeResources, &information, sizeof information));
        CHECK(before - resident_bytes() > COUNT * 1000L * 8 / 10);
        CHECK(all_bytes(kept, 1000, 'k') && HeapValidate(heap, 0, NULL) && HeapDestroy(heap));
    }
}

TEST("HeapSetInformation optimizes resources and checks what it is given")
{
    HANDLE heap = new_heap();
    for (int i = 0; i < 1000; i++)
        HeapFree(heap, 0, memset(HeapAlloc(heap, 0, 10000), 1, 10000));
    HEAP_OPTIMIZE_RESOURCES_INFORMATION information = { HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION, 0 };
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(heap, HeapOptimizeResources, &information, sizeof information));
    CHECK_ERROR(UNTOUCHED, HeapSetInformation(NULL, HeapOptimizeResources, &information, sizeof information));
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapAlloc(heap, 0, 10000) != NULL);
    information.Version = 2;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapSetInformation(heap, HeapOptimizeResources, &information, sizeof information));
    CHECK_ERROR(ERROR_INSUFFICIENT_BUFFER, !HeapSetInformation(heap, HeapOptimizeResources, &information, 4));
    CHECK(HeapDestroy(heap));
}
