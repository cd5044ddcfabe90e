/* The return addresses on the calling thread's stack, for heaps that note who allocated and freed. Code without frame pointers is no obstacle, since
 * compilers describe every frame for exceptions. Nothing here allocates or takes a lock (but with a C library before 2.35 the dynamic linker's), and any
 * thread may call at any time, in a signal handler too.
 *
 *   ph_capture_stack
 *     step                        from a frame to its caller, the engine's own frames left out in the end
 *       find_rules                remembered from an earlier stack, or looked up: shim_unwind.c
 *       follow_frame_pointer      code that nobody describes, of just-in-time compilers: these keep frame pointers
 */
#define _GNU_SOURCE
#include "shim_thread.h"
#include "shim_unwind.h"
#include <dlfcn.h>
#include <link.h>

/* The first and the last byte of this library, by the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

enum { MOST_FRAME_BYTES = 1 << 20 };

static int is_own(uintptr_t address) { return address >= (uintptr_t)__ehdr_start && address < (uintptr_t)_end; }

/* Where frame pointers are not kept the chain leads anywhere; so every link must lie farther up the stack, near the last one, and be readable. */
static int follow_frame_pointer(struct registers *registers)
{
    uintptr_t frame = registers->tracked[RBP], outer, address;
    if (frame < registers->sp || frame - registers->sp > MOST_FRAME_BYTES || frame % sizeof frame != 0
        || !ph_read_word(frame, registers->sp, &outer) || !ph_read_word(frame + sizeof frame, registers->sp, &address) || address == 0)
        return 0;
    registers->tracked[RBP] = outer;
    registers->sp = frame + 2 * sizeof frame;
    registers->pc = address;
    return 1;
}

#if defined __x86_64__

enum { REMEMBERED = 4096 };

/* Rules by the address that they are for. The version is odd while an entry is written; whoever meets that looks the rules up himself. */
static struct remembered {
    unsigned version;
    uintptr_t pc;
    const uint8_t *table;
    struct frame_rules rules;
} memory[REMEMBERED];

/* A program or library, from its first byte to behind its last, with its .eh_frame_hdr. */
struct module {
    uintptr_t start, end;
    const uint8_t *table;
};

struct search {
    uintptr_t pc;
    struct module module;
};

static int look_at_module(struct dl_phdr_info *info, size_t bytes, void *state)
{
    struct search *search = state;
    struct module found = { UINTPTR_MAX, 0, NULL };
    (void)bytes;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_GNU_EH_FRAME)
            found.table = (const uint8_t *)start;
        if (segment->p_type == PT_LOAD && start < found.start)
            found.start = start;
        if (segment->p_type == PT_LOAD && start + segment->p_memsz > found.end)
            found.end = start + segment->p_memsz;
    }
    if (search->pc < found.start || search->pc >= found.end)
        return 0;
    search->module = found;
    return 1;
}

static struct module find_module(uintptr_t pc)
{
#if defined DLFO_STRUCT_HAS_EH_DBASE
    /* In the GNU C library since 2.35, and without a lock. */
    extern int _dl_find_object(void *, struct dl_find_object *) __attribute__((weak));
    struct dl_find_object object;
    if (_dl_find_object != NULL)
        return _dl_find_object((void *)pc, &object) == 0
            ? (struct module){ (uintptr_t)object.dlfo_map_start, (uintptr_t)object.dlfo_map_end, object.dlfo_eh_frame } : (struct module){ 0 };
#endif
    struct search search = { pc, { 0 } };
    dl_iterate_phdr(look_at_module, &search);
    return search.module;
}

/* The module of the frame before, which cannot be unloaded while it is on the stack, is asked first. */
static int find_rules(uintptr_t pc, struct module *module, struct frame_rules *rules)
{
    if (pc < module->start || pc >= module->end)
        *module = find_module(pc);
    if (module->table == NULL)
        return 0;

    /* The table is compared too: another library may lie there by now. */
    struct remembered *entry = &memory[(pc ^ pc >> 12) % REMEMBERED];
    unsigned version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
    if (version % 2 == 0 && entry->pc == pc && entry->table == module->table) {
        *rules = entry->rules;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&entry->version, __ATOMIC_RELAXED) == version)
            return 1;
    }
    if (!ph_find_frame_rules(pc, module->table, rules))
        return 0;
    version = __atomic_load_n(&entry->version, __ATOMIC_RELAXED);
    if (version % 2 == 0 && __atomic_compare_exchange_n(&entry->version, &version, version + 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        entry->pc = pc;
        entry->table = module->table;
        entry->rules = *rules;
        __atomic_store_n(&entry->version, version + 2, __ATOMIC_RELEASE);
    }
    return 1;
}

/* is_call: the instruction before pc is a call, and pc may belong to the next function already. */
static int step(struct registers *registers, struct module *module, int *is_call)
{
    struct frame_rules rules;
    if (!find_rules(registers->pc - (*is_call != 0), module, &rules)) {
        *is_call = 1;
        return follow_frame_pointer(registers);
    }
    *is_call = !rules.is_signal;
    return ph_apply_frame_rules(registers, &rules);
}

#define READ_REGISTERS(registers) \
    __asm__ volatile("leaq 0(%%rip), %%rax; movq %%rax, %0; movq %%rsp, %1; movq %%rbx, %2; movq %%rbp, %3; movq %%r12, %4; movq %%r13, %5; movq %%r14, %6; movq %%r15, %7" \
        : "=m"((registers).pc), "=m"((registers).sp), "=m"((registers).tracked[RBX]), "=m"((registers).tracked[RBP]), "=m"((registers).tracked[R12]), \
          "=m"((registers).tracked[R13]), "=m"((registers).tracked[R14]), "=m"((registers).tracked[R15]) : : "rax")

#else

struct module {
    int none;
};

/* Other processors' code keeps frame pointers. */
static int step(struct registers *registers, struct module *module, int *is_call)
{
    (void)module;
    *is_call = 1;
    return follow_frame_pointer(registers);
}

#define READ_REGISTERS(registers) \
    ((registers).tracked[RBP] = (registers).sp = (uintptr_t)__builtin_frame_address(0), (registers).pc = (uintptr_t)&ph_capture_stack)

#endif

/* A frame that a signal has interrupted is at an instruction, all others behind their call; the reader takes one off. */
int ph_capture_stack(uintptr_t *frames, int capacity)
{
    struct registers registers = { 0 };
    struct module module = { 0 };
    int count = 0, is_call = 0;
    READ_REGISTERS(registers);
    while (count < capacity && step(&registers, &module, &is_call))
        if (count > 0 || !is_own(registers.pc))
            frames[count++] = registers.pc + (is_call == 0);
    return count;
}
