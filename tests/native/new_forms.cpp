// operator new and delete in all their forms, and the new_handler.
#include "check.h"
#include <malloc.h>
#include <new>
#include <string>
#include <vector>

static volatile std::size_t huge = SIZE_MAX / 2;
static int handler_calls;
static void give_up_at_the_third_call() { if (++handler_calls == 3) std::set_new_handler(nullptr); }
static void throw_at_once() { handler_calls++; throw std::bad_alloc(); }

struct alignas(256) Wide { char bytes[700]; };

static std::size_t in_use() { return mallinfo2().uordblks; }

TEST("every form of operator new gives memory that its operator delete takes back")
{
    const std::size_t before = in_use();
    const auto alignment = std::align_val_t(512);
    for (std::size_t bytes : { 0, 1, 16, 100, 5000, 300000 }) {
        void *blocks[] = { ::operator new(bytes), ::operator new[](bytes), ::operator new(bytes, std::nothrow), ::operator new[](bytes, std::nothrow) };
        for (void *block : blocks) {
            CHECK(block != nullptr && reinterpret_cast<uintptr_t>(block) % 16 == 0);
            CHECK_EQUAL(bytes, malloc_usable_size(block));
        }
        ::operator delete(blocks[0]);
        ::operator delete[](blocks[1], bytes);
        ::operator delete(blocks[2], std::nothrow);
        ::operator delete[](blocks[3], std::nothrow);
        void *aligned[] = { ::operator new(bytes, alignment), ::operator new[](bytes, alignment), ::operator new(bytes, alignment, std::nothrow),
            ::operator new[](bytes, alignment, std::nothrow) };
        for (void *block : aligned)
            CHECK(block != nullptr && reinterpret_cast<uintptr_t>(block) % 512 == 0);
        ::operator delete(aligned[0], alignment);
        ::operator delete[](aligned[1], bytes, alignment);
        ::operator delete(aligned[2], alignment, std::nothrow);
        ::operator delete[](aligned[3], alignment, std::nothrow);
        ::operator delete(::operator new(bytes), bytes);
        ::operator delete[](::operator new[](bytes));
        ::operator delete(::operator new(bytes, alignment), bytes, alignment);
        ::operator delete[](::operator new[](bytes, alignment), alignment);
    }
    CHECK_EQUAL(before, in_use());
}

TEST("delete of null does nothing")
{
    ::operator delete(nullptr);
    ::operator delete[](nullptr, std::align_val_t(64));
    delete static_cast<int *>(nullptr);
}

TEST("objects with a wide alignment get it")
{
    for (int i = 0; i < 100; i++) {
        Wide *one = new Wide, *many = new Wide[3], *quiet = new (std::nothrow) Wide;
        CHECK(reinterpret_cast<uintptr_t>(one) % 256 == 0 && reinterpret_cast<uintptr_t>(many) % 256 == 0);
        CHECK(reinterpret_cast<uintptr_t>(quiet) % 256 == 0);
        delete one;
        delete[] many;
        delete quiet;
    }
}

TEST("new throws bad_alloc and its nothrow form returns null")
{
    bool thrown = false;
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK(::operator new(huge, std::nothrow) == nullptr);
    CHECK(::operator new[](huge, std::align_val_t(64), std::nothrow) == nullptr);
    thrown = false;
    try {
        ::operator delete[](::operator new[](huge, std::align_val_t(64)), std::align_val_t(64));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
}

TEST("new asks the new_handler until it gives up")
{
    handler_calls = 0;
    std::set_new_handler(give_up_at_the_third_call);
    bool thrown = false;
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK_EQUAL(3, handler_calls);
}

TEST("the nothrow form returns null when the new_handler throws")
{
    handler_calls = 0;
    std::set_new_handler(throw_at_once);
    CHECK(::operator new(huge, std::nothrow) == nullptr);
    CHECK_EQUAL(1, handler_calls);
    std::set_new_handler(nullptr);
}

TEST("containers and strings work and leave nothing behind")
{
    const std::size_t before = in_use();
    {
        std::vector<std::string> words;
        for (int i = 0; i < 20000; i++)
            words.push_back(std::string(static_cast<std::size_t>(i % 100), 'w') + std::to_string(i));
        for (int i = 0; i < 20000; i += 999)
            CHECK(words[static_cast<std::size_t>(i)].size() == static_cast<std::size_t>(i % 100) + std::to_string(i).size());
    }
    CHECK_EQUAL(before, in_use());
}
