// operator new and delete in all forms, over malloc. This library must load into C programs too, so what belongs to libstdc++ is referred
// to weakly: where a program has no libstdc++ there is no new_handler to call, and nobody who could catch bad_alloc.
#include <cstddef>
#include <cstdlib>
#include <new>

extern "C" {
__attribute__((weak)) std::new_handler get_new_handler() __asm__("_ZSt15get_new_handlerv");
__attribute__((weak, noreturn)) void throw_bad_alloc() __asm__("_ZSt17__throw_bad_allocv");
void ph_say(const char *format, ...);
}

// The try block below refers to these by itself.
__asm__(".weak __gxx_personality_v0\n.weak __cxa_begin_catch\n.weak __cxa_end_catch\n.weak __cxa_rethrow\n.weak _Unwind_Resume");

namespace {

constexpr std::size_t malloc_alignment = 16;

void *allocate(std::size_t bytes, std::size_t alignment)
{
    return alignment <= malloc_alignment ? std::malloc(bytes) : std::aligned_alloc(alignment, bytes);
}

// Asks the program's new_handler for memory until there is some, or it gives up by throwing or by not being there.
void *allocate_by_handler(std::size_t bytes, std::size_t alignment)
{
    for (;;) {
        std::new_handler handler = get_new_handler != nullptr ? get_new_handler() : nullptr;
        if (handler == nullptr)
            return nullptr;
        handler();
        if (void *block = allocate(bytes, alignment))
            return block;
    }
}

__attribute__((noinline)) void *allocate_or_throw(std::size_t bytes, std::size_t alignment)
{
    if (void *block = allocate_by_handler(bytes, alignment))
        return block;
    if (throw_bad_alloc != nullptr)
        throw_bad_alloc();
    ph_say("operator new found no memory for %zu bytes, and the program has no way to throw.", bytes);
    std::abort();
}

__attribute__((noinline)) void *allocate_or_null(std::size_t bytes, std::size_t alignment) noexcept
{
    if (get_new_handler == nullptr)
        return nullptr;
    try {
        return allocate_by_handler(bytes, alignment);
    } catch (...) {
        return nullptr;
    }
}

inline void *allocate_throwing(std::size_t bytes, std::size_t alignment)
{
    void *block = allocate(bytes, alignment);
    return __builtin_expect(block != nullptr, 1) ? block : allocate_or_throw(bytes, alignment);
}

inline void *allocate_quietly(std::size_t bytes, std::size_t alignment) noexcept
{
    void *block = allocate(bytes, alignment);
    return __builtin_expect(block != nullptr, 1) ? block : allocate_or_null(bytes, alignment);
}

constexpr std::size_t number(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

}

void *operator new(std::size_t bytes) { return allocate_throwing(bytes, 0); }
void *operator new[](std::size_t bytes) { return allocate_throwing(bytes, 0); }
void *operator new(std::size_t bytes, std::align_val_t alignment) { return allocate_throwing(bytes, number(alignment)); }
void *operator new[](std::size_t bytes, std::align_val_t alignment) { return allocate_throwing(bytes, number(alignment)); }
void *operator new(std::size_t bytes, const std::nothrow_t &) noexcept { return allocate_quietly(bytes, 0); }
void *operator new[](std::size_t bytes, const std::nothrow_t &) noexcept { return allocate_quietly(bytes, 0); }
void *operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t &) noexcept { return allocate_quietly(bytes, number(alignment)); }
void *operator new[](std::size_t bytes, std::align_val_t alignment, const std::nothrow_t &) noexcept { return allocate_quietly(bytes, number(alignment)); }

void operator delete(void *block) noexcept { std::free(block); }
void operator delete[](void *block) noexcept { std::free(block); }
void operator delete(void *block, std::size_t) noexcept { std::free(block); }
void operator delete[](void *block, std::size_t) noexcept { std::free(block); }
void operator delete(void *block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void *block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void *block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void *block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void *block, const std::nothrow_t &) noexcept { std::free(block); }
void operator delete[](void *block, const std::nothrow_t &) noexcept { std::free(block); }
void operator delete(void *block, std::align_val_t, const std::nothrow_t &) noexcept { std::free(block); }
void operator delete[](void *block, std::align_val_t, const std::nothrow_t &) noexcept { std::free(block); }
