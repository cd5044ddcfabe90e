/* A program that loads libprivateheaps.so while it runs, in threads too; PRIVATEHEAPS names the library, CXX_LIBRARY one written in C++. */
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>
#include <windows.h>

static LPVOID (*alloc)(HANDLE, DWORD, SIZE_T);
static BOOL (*release)(HANDLE, DWORD, LPVOID);
static HANDLE (*create)(DWORD, SIZE_T, SIZE_T);
static BOOL (*destroy)(HANDLE);

static void *use(void *heap)
{
    for (int i = 0; i < 5000; i++) {
        char *block = alloc(heap, 0, i % 3000);
        CHECK(block != NULL);
        memset(block, i, i % 3000);
        CHECK(all_bytes(block, i % 3000, i));
        CHECK(release(heap, 0, block));
    }
    return NULL;
}

static void *load(const char *variable)
{
    void *library = dlopen(getenv(variable), RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    return library;
}

TEST("a loaded library serves threads that were there before, and is not unloaded under them")
{
    void *library = load("PRIVATEHEAPS");
    alloc = (LPVOID (*)(HANDLE, DWORD, SIZE_T))dlsym(library, "HeapAlloc");
    release = (BOOL (*)(HANDLE, DWORD, LPVOID))dlsym(library, "HeapFree");
    create = (HANDLE (*)(DWORD, SIZE_T, SIZE_T))dlsym(library, "HeapCreate");
    destroy = (BOOL (*)(HANDLE))dlsym(library, "HeapDestroy");
    HANDLE heap = create(0, 0, 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, use, heap);
    use(heap);
    dlclose(library);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(destroy(heap));
}

TEST("a C++ library loaded into a C program allocates, throws and catches")
{
    void *library = load("CXX_LIBRARY");
    int (*work)(void) = (int (*)(void))dlsym(library, "work");
    CHECK(work != NULL);
    CHECK_EQUAL(0, work());
    dlclose(library);
}
