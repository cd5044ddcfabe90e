// operator new and delete in all their forms, and the new_handler.
#include "../check.h"
#include <algorithm>
#include <malloc.h>
#include <memory>
#include <new>
#include <sys/resource.h>
#include <string>
#include <vector>

static volatile std::size_t huge = SIZE_MAX / 2;

struct alignas(256) Wide { char bytes[700]; };
struct Thrower { char bytes[100]; Thrower() { throw 42; } };

static std::size_t in_use() { return mallinfo2().uordblks; }

// Every form of operator new, behind one signature. The alignment of those that take none is that of malloc.
constexpr std::size_t width = 64;
constexpr auto wide = std::align_val_t(width);
static void *one(std::size_t bytes) { return ::operator new(bytes); }
static void *many(std::size_t bytes) { return ::operator new[](bytes); }
static void *one_wide(std::size_t bytes) { return ::operator new(bytes, wide); }
static void *many_wide(std::size_t bytes) { return ::operator new[](bytes, wide); }
static void *one_quiet(std::size_t bytes) { return ::operator new(bytes, std::nothrow); }
static void *many_quiet(std::size_t bytes) { return ::operator new[](bytes, std::nothrow); }
static void *one_wide_quiet(std::size_t bytes) { return ::operator new(bytes, wide, std::nothrow); }
static void *many_wide_quiet(std::size_t bytes) { return ::operator new[](bytes, wide, std::nothrow); }
static struct Form { void *(*allocate)(std::size_t bytes); bool is_quiet, is_wide; } const forms[] = {
    { one, false, false }, { many, false, false }, { one_wide, false, true }, { many_wide, false, true },
    { one_quiet, true, false }, { many_quiet, true, false }, { one_wide_quiet, true, true }, { many_wide_quiet, true, true },
};

// Every form of operator delete.
static void (*const deletes[])(void *block, std::size_t bytes) = {
    [](void *block, std::size_t) { ::operator delete(block); },
    [](void *block, std::size_t) { ::operator delete[](block); },
    [](void *block, std::size_t bytes) { ::operator delete(block, bytes); },
    [](void *block, std::size_t bytes) { ::operator delete[](block, bytes); },
    [](void *block, std::size_t) { ::operator delete(block, std::nothrow); },
    [](void *block, std::size_t) { ::operator delete[](block, std::nothrow); },
    [](void *block, std::size_t) { ::operator delete(block, wide); },
    [](void *block, std::size_t) { ::operator delete[](block, wide); },
    [](void *block, std::size_t bytes) { ::operator delete(block, bytes, wide); },
    [](void *block, std::size_t bytes) { ::operator delete[](block, bytes, wide); },
    [](void *block, std::size_t) { ::operator delete(block, wide, std::nothrow); },
    [](void *block, std::size_t) { ::operator delete[](block, wide, std::nothrow); },
};

TEST("every form of operator new gives memory that every form of operator delete takes")
{
    const std::size_t before = in_use();
    for (const Form &form : forms)
        for (auto release : deletes)
            for (std::size_t bytes : { 0, 1, 16, 100, 5000, 300000, 2000000 }) {
                void *block = form.allocate(bytes);
                CHECK(block != nullptr && reinterpret_cast<uintptr_t>(block) % (form.is_wide ? width : 16) == 0);
                CHECK_EQUAL(bytes, malloc_usable_size(block));
                memset(block, 1, bytes);
                release(block, bytes);
            }
    CHECK_EQUAL(before, in_use());
}

TEST("a sized delete that is told a wrong size frees the block, and only that")
{
    const std::size_t before = in_use();
    for (auto release : deletes) {
        void *neighbor = memset(::operator new(100), 'n', 100);
        release(::operator new(100), 7);
        release(::operator new(100), 5000);
        CHECK(all_bytes(neighbor, 100, 'n'));
        ::operator delete(neighbor);
    }
    CHECK_EQUAL(before, in_use());
}

TEST("blocks go between malloc and operator new")
{
    const std::size_t before = in_use();
    for (auto release : deletes)
        release(std::malloc(100), 100);
    for (const Form &form : forms)
        std::free(std::realloc(form.allocate(100), 1000));
    CHECK_EQUAL(before, in_use());
}

TEST("delete of null does nothing, in every form")
{
    const std::size_t before = in_use();
    for (auto release : deletes)
        release(nullptr, 100);
    delete static_cast<int *>(nullptr);
    CHECK_EQUAL(before, in_use());
}

TEST("operator new aligns to every power of two")
{
    for (std::size_t alignment = 1; alignment <= 4u << 20; alignment *= 2)
        for (std::size_t bytes : { std::size_t(0), std::size_t(1), alignment + 1 }) {
            void *block = ::operator new(bytes, std::align_val_t(alignment)), *quiet = ::operator new[](bytes, std::align_val_t(alignment), std::nothrow);
            CHECK(reinterpret_cast<uintptr_t>(block) % alignment == 0 && reinterpret_cast<uintptr_t>(quiet) % alignment == 0);
            CHECK_EQUAL(bytes, malloc_usable_size(block));
            ::operator delete(block, std::align_val_t(alignment));
            ::operator delete[](quiet, std::align_val_t(alignment));
        }
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
    const std::size_t before = in_use();
    for (const Form &form : forms)
        for (std::size_t bytes : { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 64, SIZE_MAX / 2 + 1, std::size_t(huge) }) {
            bool thrown = false;
            try {
                CHECK(form.allocate(bytes) == nullptr);
            } catch (const std::bad_alloc &) {
                thrown = true;
            }
            CHECK(thrown != form.is_quiet);
        }
    CHECK_EQUAL(before, in_use());
}

TEST("a constructor that throws gives the memory back")
{
    for (int pass = 0; pass < 2; pass++) {
        const std::size_t before = in_use();
        int caught = 0;
        for (int i = 0; i < 100; i++)
            try {
                Thrower *never = i % 2 ? new Thrower : new (std::nothrow) Thrower[3];
                CHECK(never == nullptr);
            } catch (int value) {
                caught += value == 42;
            }
        CHECK_EQUAL(100, caught);
        CHECK(pass == 0 || before == in_use());
    }
}

// new_handlers. A handler that throws may throw what it likes; the throwing forms let it through.
static int handler_calls;
static void give_up_at_the_third_call() { if (++handler_calls == 3) std::set_new_handler(nullptr); }
static void throw_at_once() { handler_calls++; throw std::bad_alloc(); }
static void throw_a_number() { handler_calls++; throw 42; }
static void hand_over() { handler_calls++; std::set_new_handler(give_up_at_the_third_call); }

// What came of an allocation that finds no memory: 'n'ull, 'b'ad_alloc, or a '#' number.
static char outcome(const Form &form, std::new_handler handler)
{
    handler_calls = 0;
    std::set_new_handler(handler);
    char result = 'n';
    try {
        CHECK(form.allocate(huge) == nullptr);
    } catch (const std::bad_alloc &) {
        result = 'b';
    } catch (int number) {
        result = number == 42 ? '#' : '?';
    }
    std::set_new_handler(nullptr);
    return result;
}

TEST("new asks the new_handler until it gives up or throws")
{
    for (const Form &form : forms) {
        CHECK_EQUAL(form.is_quiet ? 'n' : 'b', outcome(form, give_up_at_the_third_call));
        CHECK_EQUAL(3, handler_calls);
        CHECK_EQUAL(form.is_quiet ? 'n' : 'b', outcome(form, hand_over));
        CHECK_EQUAL(3, handler_calls);
        CHECK_EQUAL(form.is_quiet ? 'n' : 'b', outcome(form, throw_at_once));
        CHECK_EQUAL(1, handler_calls);
        CHECK_EQUAL(form.is_quiet ? 'n' : '#', outcome(form, throw_a_number));
        CHECK_EQUAL(1, handler_calls);
    }
}

// A process whose address space ends soon: the handler frees the reserve, and the same call succeeds.
static void *reserve;
static void free_the_reserve() { handler_calls++; std::free(reserve); reserve = nullptr; std::set_new_handler(nullptr); }

static void limit_address_space(std::size_t more)
{
    std::size_t pages = 0;
    FILE *file = std::fopen("/proc/self/statm", "r");
    CHECK(file != nullptr && std::fscanf(file, "%zu", &pages) == 1);
    std::fclose(file);
    const rlimit limit = { pages * 4096 + more, RLIM_INFINITY };
    CHECK_EQUAL(0, setrlimit(RLIMIT_AS, &limit));
}

static void allocate_what_the_handler_frees()
{
    constexpr std::size_t bytes = 300u << 20;
    for (const Form &form : forms) {
        const rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
        setrlimit(RLIMIT_AS, &none);
        reserve = std::malloc(bytes + (8u << 20));
        limit_address_space(32u << 20);
        handler_calls = 0;
        std::set_new_handler(free_the_reserve);
        char *block = static_cast<char *>(form.allocate(bytes));
        CHECK(block != nullptr && malloc_usable_size(block) == bytes);
        CHECK_EQUAL(1, handler_calls);
        block[0] = block[bytes - 1] = 1;
        ::operator delete(block);
    }
}

TEST("a new_handler that frees memory is enough")
{
    char errors[2000];
    const int status = run_in_child(allocate_what_the_handler_frees, errors, sizeof errors);
    CHECK_EQUAL(0, status);
    std::fputs(errors, stderr);
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

TEST("allocators, smart pointers and standard algorithms use the aligned forms as they need them")
{
    const std::size_t before = in_use();
    {
        std::vector<Wide> objects(50);
        objects.resize(300);
        for (const Wide &object : objects)
            CHECK(reinterpret_cast<uintptr_t>(&object) % 256 == 0);
        auto shared = std::make_shared<Wide>();
        CHECK(reinterpret_cast<uintptr_t>(shared.get()) % 256 == 0);
        std::vector<std::pair<int, std::string>> pairs;
        for (int i = 0; i < 3000; i++)
            pairs.emplace_back(i % 10, std::string(static_cast<std::size_t>(i % 50), 'p'));
        std::stable_sort(pairs.begin(), pairs.end(), [](const auto &left, const auto &right) { return left.first < right.first; });
        CHECK(pairs.front().first == 0 && pairs.back().first == 9);
    }
    CHECK_EQUAL(before, in_use());
}
