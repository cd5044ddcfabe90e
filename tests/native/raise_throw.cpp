// Raising heaps in C++: the handler throws.
#include "heap_check.h"
#include <new>
#include <thread>

namespace {

struct HeapException { DWORD code; HANDLE heap; SIZE_T bytes; };

void throw_it(DWORD code, HANDLE heap, SIZE_T bytes, void *) { throw HeapException{ code, heap, bytes }; }

struct Witness { int *count; ~Witness() { ++*count; } };

volatile SIZE_T huge = static_cast<SIZE_T>(1) << 60;

void catch_one(int *destroyed)
{
    HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
    void *block = HeapAlloc(heap, 0, 50);
    bool caught = false;
    try {
        Witness witness{ destroyed };
        HeapReAlloc(heap, 0, block, huge);
    } catch (const HeapException &exception) {
        caught = exception.code == STATUS_NO_MEMORY && exception.heap == heap && exception.bytes == huge;
    }
    CHECK(caught);
    caught = false;
    try {
        Witness witness{ destroyed };
        HeapAlloc(heap, 0, huge);
    } catch (const HeapException &) {
        caught = true;
    }
    CHECK(caught);
    CHECK_EQUAL(50, HeapSize(heap, 0, block));
    CHECK(HeapDestroy(heap));
}

}

TEST("a handler that throws unwinds through HeapAlloc and HeapReAlloc and runs destructors")
{
    SetHeapRaiseHandler(throw_it, nullptr);
    int destroyed = 0;
    for (int i = 0; i < 100; i++)
        catch_one(&destroyed);
    CHECK_EQUAL(200, destroyed);
}

TEST("each thread catches what its own call raised, also as its first call")
{
    SetHeapRaiseHandler(throw_it, nullptr);
    int destroyed[20] = {}, first[20] = {};
    for (int round = 0; round < 20; round++) {
        std::thread([&, round] {
            try {
                HeapAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, huge);
            } catch (const HeapException &) {
                first[round] = 1;
            }
            catch_one(&destroyed[round]);
        }).join();
        CHECK_EQUAL(2, destroyed[round]);
        CHECK_EQUAL(1, first[round]);
    }
}
