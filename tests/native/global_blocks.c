/* GlobalAlloc, LocalAlloc and their companions, as a C program sees them. */
#include "heap_check.h"
#include <pthread.h>
#include <stdatomic.h>

static int is_handle(HGLOBAL memory) { return (uintptr_t)memory % (2 * sizeof(void *)) == sizeof(void *); }

/* Each test is a process of its own, so these calls are the first ones. */
TEST("the first call of a process may be about a handle that is none")
{
    HGLOBAL invalid = (HGLOBAL)(uintptr_t)0xDEADBEE8;
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalLock(invalid) == NULL);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalSize(invalid) == 0);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalUnlock(invalid));
    CHECK_ERROR(ERROR_INVALID_HANDLE, !LocalUnlock(invalid));
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalReAlloc(invalid, 10, GMEM_MOVEABLE) == NULL);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalFree(invalid) == invalid);
}

TEST("the first call of a process may be about an address where nothing is")
{
    HGLOBAL invalid = (HGLOBAL)(uintptr_t)0xFFFFFFFFDEADBEE0;
    CHECK_ERROR(ERROR_NOACCESS, GlobalFree(invalid) == invalid);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalFlags(invalid) == GMEM_INVALID_HANDLE);
    CHECK_ERROR(ERROR_NOACCESS, LocalFlags(invalid) == LMEM_INVALID_HANDLE);
    CHECK_ERROR(UNTOUCHED, LocalLock(invalid) == NULL);
    CHECK_ERROR(ERROR_NOACCESS, LocalHandle(invalid) == NULL);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalHandle(invalid) == NULL);
}

TEST("the first call of a process may make a discarded handle")
{
    HGLOBAL handle;
    CHECK_ERROR(UNTOUCHED, (handle = GlobalAlloc(GHND, 0)) != NULL);
    CHECK_ERROR(ERROR_DISCARDED, GlobalLock(handle) == NULL);
    CHECK_EQUAL(GMEM_DISCARDED, GlobalFlags(handle));
    CHECK(GlobalFree(handle) == NULL);
}

TEST("a moveable block is reached by its handle, locked or not")
{
    HGLOBAL handle = GlobalAlloc(GHND, 100);
    CHECK(is_handle(handle));
    char *block = *(char **)handle;
    CHECK(all_bytes(block, 100, 0));
    strcpy(block, "kept");
    CHECK_ERROR(UNTOUCHED, GlobalLock(handle) == block);
    CHECK(GlobalHandle(block) == handle && LocalHandle(block) == handle);
    CHECK_EQUAL(100, HeapSize(GetProcessHeap(), 0, block));
    CHECK_EQUAL(1, GlobalFlags(handle) & GMEM_LOCKCOUNT);
    CHECK_ERROR(NO_ERROR, !GlobalUnlock(handle));
    CHECK_ERROR(ERROR_NOT_LOCKED, !GlobalUnlock(handle));
    CHECK_ERROR(UNTOUCHED, GlobalReAlloc(handle, 1 * MiB, GMEM_ZEROINIT) == handle);
    CHECK(strcmp(*(char **)handle, "kept") == 0 && all_bytes(*(char **)handle + 100, 1 * MiB - 100, 0));
    CHECK_ERROR(UNTOUCHED, GlobalDiscard(handle) == handle);
    CHECK_EQUAL(GMEM_DISCARDED, GlobalFlags(handle));
    CHECK_ERROR(UNTOUCHED, GlobalFree(handle) == NULL);
    CHECK_ERROR(ERROR_INVALID_HANDLE, GlobalFree(handle) == handle);
}

TEST("a fixed block is its own handle")
{
    char *block = LocalAlloc(LPTR, 100);
    CHECK(!is_handle(block) && all_bytes(block, 100, 0));
    memset(block, 'f', 100);
    CHECK(LocalLock(block) == block && LocalHandle(block) == block);
    CHECK_EQUAL(100, LocalSize(block));
    CHECK_ERROR(ERROR_NOT_LOCKED, !LocalUnlock(block));
    CHECK_ERROR(UNTOUCHED, GlobalUnlock(block));
    block = LocalReAlloc(block, 1 * MiB, LMEM_MOVEABLE | LMEM_ZEROINIT);
    CHECK(!is_handle(block) && all_bytes(block, 100, 'f') && all_bytes(block + 100, 1 * MiB - 100, 0));
    CHECK(LocalReAlloc(block, 0, LMEM_MODIFY | LMEM_MOVEABLE) == block);
    HGLOBAL handle = GlobalReAlloc(block, 0, GMEM_MODIFY | GMEM_MOVEABLE);
    CHECK(is_handle(handle) && all_bytes(*(char **)handle, 100, 'f'));
    CHECK_EQUAL(1 * MiB, LocalSize(handle));
    CHECK_ERROR(UNTOUCHED, LocalDiscard(handle) == handle);
    CHECK_ERROR(UNTOUCHED, LocalFree(handle) == NULL);
    CHECK_ERROR(UNTOUCHED, LocalFree(NULL) == NULL);
}

TEST("the flags have the values of Windows")
{
    CHECK(GMEM_FIXED == 0 && GMEM_MOVEABLE == 2 && GMEM_ZEROINIT == 0x40 && GMEM_MODIFY == 0x80);
    CHECK(GMEM_NOCOMPACT == 0x10 && GMEM_NODISCARD == 0x20);
    CHECK(GMEM_DISCARDABLE == 0x100 && GMEM_LOWER == 0x1000 && GMEM_SHARE == 0x2000 && GMEM_DDESHARE == 0x2000 && GMEM_NOTIFY == 0x4000);
    CHECK(GHND == 0x42 && GPTR == 0x40 && LHND == 0x42 && LPTR == 0x40 && NONZEROLHND == 2 && NONZEROLPTR == 0);
    CHECK(LMEM_DISCARDABLE == 0xF00);
    CHECK(GMEM_VALID_FLAGS == (GMEM_MOVEABLE | GMEM_NOCOMPACT | GMEM_NODISCARD | GMEM_ZEROINIT | 0xF00 | GMEM_LOWER | GMEM_DDESHARE | GMEM_NOTIFY));
    CHECK(LMEM_VALID_FLAGS == (LMEM_MOVEABLE | LMEM_NOCOMPACT | LMEM_NODISCARD | LMEM_ZEROINIT | LMEM_DISCARDABLE));
}

TEST("the functions that do nothing return 0, and the old names lock and unlock")
{
    HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 10);
    CHECK_ERROR(UNTOUCHED, GlobalCompact(0) == 0 && LocalCompact(1000) == 0 && LocalShrink(handle, 5) == 0);
    GlobalFix(handle);
    CHECK(GlobalWire(handle) == *(void **)handle);
    CHECK(GlobalUnWire(handle));
    CHECK_EQUAL(1, GlobalFlags(handle));
    GlobalUnfix(handle);
    CHECK_EQUAL(0, GlobalFlags(handle));
    CHECK(GlobalFree(handle) == NULL);
}

static atomic_int stop;
static HGLOBAL shared;

static void *hammer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    while (!atomic_load(&stop)) {
        GlobalReAlloc(shared, rand_r(&seed) % 20 == 0 ? 200000 : 1 + rand_r(&seed) % 2000, 0);
        for (int i = 0; i < 200; i++) {
            char *block = GlobalLock(shared);
            *block = (char)seed;
            CHECK(*(char **)shared == block);
            GlobalUnlock(shared);
        }
        HGLOBAL own = GlobalAlloc(GMEM_MOVEABLE, rand_r(&seed) % 500);
        CHECK(own != NULL && GlobalFree(own) == NULL);
    }
    return NULL;
}

static void use_handles(void)
{
    alarm(10);
    DWORD locks = GlobalFlags(shared) & GMEM_LOCKCOUNT;
    CHECK(GlobalSize(shared) > 0 && locks <= 4);
    CHECK(GlobalHandle(*(void **)shared) == shared);
    for (int i = 0; i < 300; i++) {
        HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, i);
        CHECK(GlobalReAlloc(handle, i * 20 + 1, GMEM_MOVEABLE) == handle);
        CHECK_EQUAL(i * 20 + 1, GlobalSize(handle));
        CHECK(GlobalFree(handle) == NULL);
    }
    CHECK(GlobalReAlloc(shared, 12345, GMEM_MOVEABLE) == shared);
    CHECK(GlobalFree(shared) == NULL);
}

TEST("a child of fork uses handles while the parent's threads do")
{
    pthread_t threads[4];
    shared = GlobalAlloc(GMEM_MOVEABLE, 100);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
    char errors[1000];
    for (int round = 0; round < 100; round++) {
        int status = run_in_child(use_handles, errors, sizeof errors);
        CHECK_EQUAL(0, status);
        if (status != 0)
            fputs(errors, stderr);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(0, GlobalFlags(shared));
    CHECK(GlobalFree(shared) == NULL);
}
