/* VirtualAlloc, VirtualFree, VirtualProtect and VirtualQuery against a model of each page: reserved or committed, its protection, its bytes. What other threads
 * and the program itself have mapped is never handed to a function that could change it. */
#include "pages.h"

static struct pages_model *model_of(struct actor *actor)
{
    if (actor->pages == NULL)
        actor->pages = calloc(1, sizeof *actor->pages);
    return actor->pages;
}

static struct reservation *any_reservation(struct actor *actor)
{
    struct pages_model *model = model_of(actor);
    return model->count == 0 ? NULL : &model->reservations[below(actor, model->count)];
}

static int is_readable(DWORD protection)
{
    return protection == PAGE_READONLY || protection == PAGE_READWRITE || protection == PAGE_EXECUTE_READ || protection == PAGE_EXECUTE_READWRITE;
}

static int is_writable(DWORD protection) { return protection == PAGE_READWRITE || protection == PAGE_EXECUTE_READWRITE; }

static DWORD random_protection(struct actor *actor)
{
    return ONE_OF(DWORD, PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
        PAGE_READWRITE | PAGE_GUARD, PAGE_READONLY | PAGE_NOCACHE);
}

static DWORD bad_protection(struct actor *actor)
{
    return ONE_OF(DWORD, 0, 0x3, 0x6, PAGE_GUARD, PAGE_NOCACHE, PAGE_READWRITE | PAGE_EXECUTE, 0x800, 0x12340000, 0xFFFFFFFF, PAGE_NOACCESS | PAGE_GUARD);
}

/* No reservation, and nothing of the program's. */
static void *no_pages(struct actor *actor) { return once_in(actor, 2) ? nobodys_address(actor) : (void *)(uintptr_t)(0x1000 + below(actor, 0xE000)); }

static void check_pages(struct actor *actor, const struct reservation *reservation, int first, int count)
{
    for (int i = first; i < first + count; i++)
        if (reservation->protections[i] != 0 && is_readable(reservation->protections[i]))
            MUST(all_bytes(reservation->base + i * PAGE, PAGE, reservation->fills[i]));
}

static void refill(struct actor *actor, struct reservation *reservation, int first, int count)
{
    for (int i = first; i < first + count; i++)
        if (is_writable(reservation->protections[i])) {
            reservation->fills[i] = (unsigned char)random_bits(actor);
            memset(reservation->base + i * PAGE, reservation->fills[i], PAGE);
        }
}

static void reserve(struct actor *actor)
{
    struct pages_model *model = model_of(actor);
    if (model->count == RESERVATIONS)
        return;
    int pages = 1 + (int)below(actor, MOST_PAGES), commits = once_in(actor, 2);
    SIZE_T bytes = (SIZE_T)pages * PAGE - below(actor, PAGE);
    DWORD protection = random_protection(actor), type = (commits ? MEM_COMMIT : 0) | MEM_RESERVE | (once_in(actor, 4) ? MEM_TOP_DOWN : 0);
    forget_error();
    char *base = VirtualAlloc(NULL, bytes, type, protection);
    MUST(base != NULL && (uintptr_t)base % (64 * KiB) == 0);
    MUST_LEAVE(UNTOUCHED);
    for (int i = 0; i < model->count; i++)
        MUST(base + pages * PAGE <= model->reservations[i].base || base >= model->reservations[i].base + model->reservations[i].pages * PAGE);
    struct reservation *reservation = &model->reservations[model->count++];
    *reservation = (struct reservation){ .base = base, .pages = pages, .protection = protection };
    for (int i = 0; commits && i < pages; i++)
        reservation->protections[i] = protection;
    check_pages(actor, reservation, 0, pages);
    refill(actor, reservation, 0, pages);
}

/* A range of pages, and bytes that touch just them. */
struct range { int first, count; void *address; SIZE_T bytes; };
static struct range random_range(struct actor *actor, const struct reservation *reservation)
{
    int first = (int)below(actor, reservation->pages), count = 1 + (int)below(actor, reservation->pages - first);
    SIZE_T head = once_in(actor, 2) ? 0 : below(actor, PAGE), tail = once_in(actor, 2) ? 0 : below(actor, PAGE);
    if (count == 1 && head + tail >= PAGE)
        head = tail = 0;
    return (struct range){ first, count, reservation->base + first * PAGE + head, (SIZE_T)count * PAGE - head - tail };
}

static void commit(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    if (reservation == NULL || reservation->is_window)
        return;
    struct range range = random_range(actor, reservation);
    DWORD protection = random_protection(actor);
    int is_beyond = once_in(actor, 10);
    forget_error();
    char *address = VirtualAlloc(range.address, range.bytes + (is_beyond ? (SIZE_T)(reservation->pages - range.first) * PAGE : 0), MEM_COMMIT, protection);
    if (is_beyond) {
        /* Unless another reservation begins there, and then that is another one. */
        MUST(address == NULL);
        MUST_LEAVE(ERROR_INVALID_ADDRESS);
        return;
    }
    MUST(address == reservation->base + range.first * PAGE);
    MUST_LEAVE(UNTOUCHED);
    for (int i = range.first; i < range.first + range.count; i++) {
        if (reservation->protections[i] == 0)
            reservation->fills[i] = 0;
        reservation->protections[i] = protection;
    }
    check_pages(actor, reservation, range.first, range.count);
    refill(actor, reservation, range.first, range.count);
}

static void refused_alloc(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    SIZE_T bytes = 1 + below(actor, 100000);
    DWORD bad_type = ONE_OF(DWORD, 0, MEM_TOP_DOWN, MEM_DECOMMIT, MEM_RELEASE, MEM_WRITE_WATCH, MEM_PHYSICAL | MEM_COMMIT, MEM_RESERVE | 1, 0xFFFFFFFF,
        MEM_RESERVE | MEM_COMMIT | MEM_RELEASE);
    DWORD type = ONE_OF(DWORD, MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT);
    void *address = NULL;
    forget_error();
    switch (below(actor, 7)) {
        case 0: address = VirtualAlloc(NULL, bytes, bad_type, random_protection(actor)); break;
        case 1: address = VirtualAlloc(once_in(actor, 2) ? NULL : no_pages(actor), 0, type, PAGE_READWRITE); break;
        case 2: address = VirtualAlloc(NULL, bytes, type, bad_protection(actor)); break;
        case 3: address = VirtualAlloc(NULL, once_in(actor, 2) ? NO_SIZE - bytes : (SIZE_T)1 << (47 + below(actor, 17)), MEM_RESERVE, PAGE_READWRITE); break;
        case 4: address = VirtualAlloc(no_pages(actor), bytes, once_in(actor, 4) ? MEM_RESET : type, PAGE_READWRITE); break;
        case 5:
            if (reservation == NULL)
                return;
            address = VirtualAlloc(reservation->base + below(actor, reservation->pages * PAGE), bytes % PAGE + 1, MEM_RESERVE, PAGE_READWRITE);
            break;
        default: address = VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT | ONE_OF(DWORD, MEM_LARGE_PAGES, MEM_WRITE_WATCH), PAGE_READWRITE); break;
    }
    MUST(address == NULL);
    MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS, ERROR_NOT_ENOUGH_MEMORY);
}

static void reset(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    if (reservation == NULL || reservation->is_window)
        return;
    struct range range = random_range(actor, reservation);
    forget_error();
    if (VirtualAlloc(range.address, range.bytes, ONE_OF(DWORD, MEM_RESET, MEM_RESET_UNDO), PAGE_READWRITE) == NULL)
        MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS);
    /* What is in the pages after a reset is nobody's promise. */
    for (int i = range.first; i < range.first + range.count; i++)
        if (is_readable(reservation->protections[i])) {
            reservation->fills[i] = (unsigned char)reservation->base[i * PAGE];
            MUST(all_bytes(reservation->base + i * PAGE, PAGE, reservation->fills[i]));
        }
}

static void virtual_alloc(struct actor *actor)
{
    switch (below(actor, 8)) {
        case 0: case 1: reserve(actor); break;
        case 2: refused_alloc(actor); break;
        case 3: reset(actor); break;
        default: commit(actor);
    }
}

static void drop(struct actor *actor, struct reservation *reservation)
{
    struct pages_model *model = model_of(actor);
    check_pages(actor, reservation, 0, reservation->pages);
    forget_error();
    MUST(VirtualFree(reservation->base + below(actor, PAGE), 0, MEM_RELEASE));
    MUST_LEAVE(UNTOUCHED);
    *reservation = model->reservations[--model->count];
}

static void virtual_free(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    forget_error();
    if (reservation == NULL || once_in(actor, 6)) {
        SIZE_T bytes = once_in(actor, 2) ? 0 : below(actor, 100000);
        MUST(!VirtualFree(once_in(actor, 4) ? NULL : no_pages(actor), bytes, ONE_OF(DWORD, MEM_RELEASE, MEM_DECOMMIT, 0, 0xFFFFFFFF)));
        MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS);
    } else if (once_in(actor, 4) && !reservation->is_window) {
        drop(actor, reservation);
    } else if (once_in(actor, 3)) {
        DWORD type = ONE_OF(DWORD, 0, MEM_RELEASE, MEM_RELEASE | MEM_DECOMMIT, MEM_COMMIT, 0xFFFFFFFF, 1, MEM_DECOMMIT | 1);
        SIZE_T bytes = type == MEM_RELEASE ? 1 + below(actor, 100000) : below(actor, 100000);
        MUST(!VirtualFree(reservation->base, bytes, type));
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
        if (reservation->pages > 1)
            MUST(!VirtualFree(reservation->base + PAGE * (1 + below(actor, reservation->pages - 1)), 0, ONE_OF(DWORD, MEM_RELEASE, MEM_DECOMMIT)));
        MUST(!VirtualFree(reservation->base, (SIZE_T)(reservation->pages + 1) * PAGE, MEM_DECOMMIT));
    } else if (!reservation->is_window) {
        struct range range = random_range(actor, reservation);
        int is_whole = once_in(actor, 6);
        check_pages(actor, reservation, 0, reservation->pages);
        MUST(is_whole ? VirtualFree(reservation->base, 0, MEM_DECOMMIT) : VirtualFree(range.address, range.bytes, MEM_DECOMMIT));
        MUST_LEAVE(UNTOUCHED);
        for (int i = 0; i < reservation->pages; i++)
            if (is_whole || (i >= range.first && i < range.first + range.count))
                reservation->protections[i] = 0;
    }
    if (model_of(actor)->count > 0)
        check_pages(actor, &model_of(actor)->reservations[0], 0, model_of(actor)->reservations[0].pages);
}

static void virtual_protect(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    DWORD before = 0x77;
    forget_error();
    if (reservation == NULL || once_in(actor, 6)) {
        MUST(!VirtualProtect(no_pages(actor), 1 + below(actor, 100000), random_protection(actor), &before));
        MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS);
        return;
    }
    if (reservation->is_window)
        return;
    struct range range = random_range(actor, reservation);
    if (once_in(actor, 5)) {
        int is_null = once_in(actor, 2);
        MUST(!VirtualProtect(range.address, range.bytes, is_null ? PAGE_READONLY : bad_protection(actor), is_null ? NULL : &before));
        MUST_LEAVE(is_null ? ERROR_NOACCESS : ERROR_INVALID_PARAMETER);
        return;
    }
    int is_committed = 1;
    for (int i = range.first; i < range.first + range.count; i++)
        is_committed &= reservation->protections[i] != 0;
    DWORD protection = random_protection(actor);
    BOOL done = VirtualProtect(range.address, range.bytes, protection, &before);
    MUST(done == is_committed);
    MUST_LEAVE(done ? UNTOUCHED : ERROR_INVALID_ADDRESS);
    MUST(!done || before == reservation->protections[range.first]);
    for (int i = range.first; done && i < range.first + range.count; i++)
        reservation->protections[i] = protection;
    check_pages(actor, reservation, 0, reservation->pages);
    refill(actor, reservation, range.first, range.count);
}

static void virtual_query(struct actor *actor)
{
    struct reservation *reservation = any_reservation(actor);
    MEMORY_BASIC_INFORMATION range[2], before;
    memset(range, 0xAB, sizeof range);
    before = range[1];
    forget_error();
    if (reservation == NULL || once_in(actor, 4)) {
        switch (below(actor, 3)) {
            case 0: /* the kernel's half, and what is no address at all */
                MUST(VirtualQuery((void *)(uintptr_t)(random_bits(actor) | (uintptr_t)1 << 63), range, sizeof *range) == 0);
                MUST_LEAVE(ERROR_INVALID_PARAMETER);
                break;
            case 1:
                MUST(VirtualQuery(range, range, below(actor, sizeof *range)) == 0);
                MUST_LEAVE(ERROR_BAD_LENGTH);
                break;
            default: /* the program's own memory */
                MUST(VirtualQuery(once_in(actor, 2) ? (void *)range : (void *)&shared_heaps, range, sizeof *range) == sizeof *range);
                MUST(range->State == MEM_COMMIT && range->Protect == PAGE_READWRITE && range->RegionSize % PAGE == 0);
                MUST_LEAVE(UNTOUCHED);
        }
        return;
    }
    if (reservation->is_window)
        return;
    int page = (int)below(actor, reservation->pages), end = page;
    DWORD protection = reservation->protections[page];
    MUST(VirtualQuery(reservation->base + page * PAGE + below(actor, PAGE), range, sizeof *range + below(actor, sizeof *range)) == sizeof *range);
    MUST_LEAVE(UNTOUCHED);
    while (end < reservation->pages && reservation->protections[end] == protection)
        end++;
    MUST(range->BaseAddress == reservation->base + page * PAGE && range->AllocationBase == reservation->base);
    MUST(range->AllocationProtect == reservation->protection && range->Protect == protection && range->Type == MEM_PRIVATE);
    MUST(range->State == (protection != 0 ? MEM_COMMIT : MEM_RESERVE));
    MUST(range->RegionSize == (SIZE_T)(end - page) * PAGE);
    MUST(memcmp(&range[1], &before, sizeof before) == 0);
}

static const struct action actions[] = {
    { "VirtualAlloc", virtual_alloc, 25 }, { "VirtualFree", virtual_free, 15 }, { "VirtualProtect", virtual_protect, 15 }, { "VirtualQuery", virtual_query, 15 },
};
PART(page_part, actions);

void finish_pages(struct actor *actor)
{
    struct pages_model *model = model_of(actor);
    while (model->count > 0)
        drop(actor, &model->reservations[0]);
    finish_frames(actor);
}
