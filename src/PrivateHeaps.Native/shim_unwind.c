/* Reads .eh_frame, the call frame information of DWARF as the System V ABI and the Linux Standard Base have it, for x86-64. Only what a walk of the
 * stack needs: the registers that calls preserve. The compiler's own unwinder can do all of it, but may allocate and lock on the way.
 *
 *   ph_find_frame_rules          .eh_frame_hdr: a sorted table of functions; their FDE, and its CIE
 *     read_cie                   what all functions of a file have in common
 *     run                        the little program that builds up the rules, as far as the instruction
 *   ph_apply_frame_rules         the CFA, then each register
 *     evaluate                   expressions: signal frames, realigned stacks, hand-written code
 */
#include "shim_unwind.h"
#include <stddef.h>

int ph_read_memory(const void *from, void *to, size_t bytes);

enum { NEAR_BYTES = 4096 };

/* What lies near the stack pointer is there; anything else the kernel is asked for, since a stack that was overwritten may lead anywhere. */
int ph_read_word(uintptr_t address, uintptr_t sp, uintptr_t *value)
{
    if (address % sizeof *value == 0 && address - sp + NEAR_BYTES < 2 * NEAR_BYTES) {
        *value = *(const uintptr_t *)address;
        return 1;
    }
    return ph_read_memory((const void *)address, value, sizeof *value) == 0;
}

#if defined __x86_64__

enum { MOST_STATES = 8, MOST_VALUES = 16, FAR_BYTES = 1 << 24 };
enum { BY_EXPRESSION = -1 };

struct cie {
    uint64_t code_alignment;
    int64_t data_alignment;
    const uint8_t *instructions, *end;
    int address_encoding;
    int has_augmentation;
    int is_signal;
};

static int place_of(uint64_t number)
{
    switch (number) {
    case 3: return RBX;
    case 6: return RBP;
    case 12: return R12;
    case 13: return R13;
    case 14: return R14;
    case 15: return R15;
    case 16: return RETURN_ADDRESS;
    default: return -1;
    }
}

/* Seven bits a byte, the lowest first; the last byte has its top bit clear. */
static uint64_t read_digits(const uint8_t **at, int *shift, uint8_t *last)
{
    uint64_t value = 0;
    *shift = 0;
    do {
        *last = *(*at)++;
        value |= *shift < 64 ? (uint64_t)(*last & 127) << *shift : 0;
        *shift += 7;
    } while (*last & 128);
    return value;
}

static uint64_t read_unsigned(const uint8_t **at)
{
    int shift;
    uint8_t last;
    return read_digits(at, &shift, &last);
}

static int64_t read_signed(const uint8_t **at)
{
    int shift;
    uint8_t last;
    uint64_t value = read_digits(at, &shift, &last);
    return (int64_t)(shift < 64 && (last & 64) ? value | ~(uint64_t)0 << shift : value);
}

#define READ(type, at) ({ type value_; __builtin_memcpy(&value_, *(at), sizeof value_); *(at) += sizeof value_; value_; })

/* A pointer in one of the encodings DW_EH_PE_*; without, or relative to itself. Others do not occur here and are not understood: 0. */
static uintptr_t read_pointer(const uint8_t **at, int encoding)
{
    uintptr_t from = (encoding & 0x70) == 0x10 ? (uintptr_t)*at : 0;
    switch (encoding & 0x0f) {
    case 0x00: case 0x04: case 0x0c: return from + READ(uint64_t, at);
    case 0x02: return from + READ(uint16_t, at);
    case 0x03: return from + READ(uint32_t, at);
    case 0x0a: return from + (uintptr_t)(intptr_t)READ(int16_t, at);
    case 0x0b: return from + (uintptr_t)(intptr_t)READ(int32_t, at);
    default: return 0;
    }
}

static int read_cie(const uint8_t *at, struct cie *cie)
{
    uint32_t bytes = READ(uint32_t, &at);
    if (bytes == 0 || bytes == UINT32_MAX)
        return 0;
    cie->end = at + bytes;
    if (READ(uint32_t, &at) != 0)
        return 0;
    uint8_t version = *at++;
    const char *augmentation = (const char *)at;
    while (*at++ != '\0')
        ;
    if (version != 1 && version != 3)
        return 0;
    cie->code_alignment = read_unsigned(&at);
    cie->data_alignment = read_signed(&at);
    if ((version == 1 ? *at++ : read_unsigned(&at)) != 16)
        return 0;
    cie->address_encoding = 0;
    cie->is_signal = 0;
    cie->has_augmentation = *augmentation == 'z';
    if (cie->has_augmentation) {
        const uint8_t *data = at;
        uint64_t data_bytes = read_unsigned(&data);
        at = data + data_bytes;
        for (augmentation++; *augmentation; augmentation++)
            switch (*augmentation) {
            case 'R': cie->address_encoding = *data++; break;
            case 'L': data++; break;
            case 'S': cie->is_signal = 1; break;
            case 'B': break;
            case 'P': {
                int encoding = *data++;
                read_pointer(&data, encoding);
                break;
            }
            default: return 0;
            }
    } else if (*augmentation != '\0') {
        return 0;
    }
    cie->instructions = at;
    return 1;
}

static void set(struct frame_rules *rules, uint64_t number, int kind, int64_t value)
{
    int place = place_of(number);
    if (place >= 0)
        rules->rules[place] = (struct rule){ value, kind };
}

static void restore(struct frame_rules *rules, const struct frame_rules *initial, uint64_t number)
{
    int place = place_of(number);
    if (place >= 0)
        rules->rules[place] = initial->rules[place];
}

static int64_t skip_expression(const uint8_t **at)
{
    const uint8_t *start = *at;
    uint64_t bytes = read_unsigned(at);
    *at += bytes;
    return (int64_t)(intptr_t)start;
}

/* Runs the instructions until they speak of a place behind pc. */
static int run(const uint8_t *at, const uint8_t *end, const struct cie *cie, uintptr_t location, uintptr_t pc, struct frame_rules *rules, const struct frame_rules *initial)
{
    struct frame_rules states[MOST_STATES];
    int state_count = 0;
    while (at < end && location <= pc) {
        uint8_t code = *at++;
        uint64_t operand = code & 63, number;
        switch (code & 0xc0 ? code & 0xc0 : code) {
        case 0x40: location += operand * cie->code_alignment; break;
        case 0x80: set(rules, operand, AT_CFA, (int64_t)read_unsigned(&at) * cie->data_alignment); break;
        case 0xc0: restore(rules, initial, operand); break;
        case 0x00: break;
        case 0x01: location = read_pointer(&at, cie->address_encoding); break;
        case 0x02: location += *at++ * cie->code_alignment; break;
        case 0x03: location += READ(uint16_t, &at) * cie->code_alignment; break;
        case 0x04: location += READ(uint32_t, &at) * cie->code_alignment; break;
        case 0x05: number = read_unsigned(&at); set(rules, number, AT_CFA, (int64_t)read_unsigned(&at) * cie->data_alignment); break;
        case 0x06: restore(rules, initial, read_unsigned(&at)); break;
        case 0x07: set(rules, read_unsigned(&at), UNDEFINED, 0); break;
        case 0x08: set(rules, read_unsigned(&at), SAME, 0); break;
        case 0x09: number = read_unsigned(&at); read_unsigned(&at); set(rules, number, UNDEFINED, 0); break;
        case 0x0a:
            if (state_count == MOST_STATES)
                return 0;
            states[state_count++] = *rules;
            break;
        case 0x0b:
            if (state_count == 0)
                return 0;
            *rules = states[--state_count];
            break;
        case 0x0c: rules->cfa_register = (int)read_unsigned(&at); rules->cfa_value = (int64_t)read_unsigned(&at); break;
        case 0x0d: rules->cfa_register = (int)read_unsigned(&at); break;
        case 0x0e: rules->cfa_value = (int64_t)read_unsigned(&at); break;
        case 0x0f: rules->cfa_register = BY_EXPRESSION; rules->cfa_value = skip_expression(&at); break;
        case 0x10: number = read_unsigned(&at); set(rules, number, AT_EXPRESSION, skip_expression(&at)); break;
        case 0x11: number = read_unsigned(&at); set(rules, number, AT_CFA, read_signed(&at) * cie->data_alignment); break;
        case 0x12: rules->cfa_register = (int)read_unsigned(&at); rules->cfa_value = read_signed(&at) * cie->data_alignment; break;
        case 0x13: rules->cfa_value = read_signed(&at) * cie->data_alignment; break;
        case 0x14: number = read_unsigned(&at); set(rules, number, IS_CFA, (int64_t)read_unsigned(&at) * cie->data_alignment); break;
        case 0x15: number = read_unsigned(&at); set(rules, number, IS_CFA, read_signed(&at) * cie->data_alignment); break;
        case 0x16: number = read_unsigned(&at); set(rules, number, IS_EXPRESSION, skip_expression(&at)); break;
        case 0x2e: read_unsigned(&at); break;
        default: return 0;
        }
    }
    return 1;
}

/* The FDE of the last function that does not begin behind pc. */
static const uint8_t *find_fde(const uint8_t *table, uintptr_t pc)
{
    enum { VERSION = 1, FOUR_BYTES = 0x03, SORTED_AND_RELATIVE = 0x3b };
    if (table[0] != VERSION || table[2] != FOUR_BYTES || table[3] != SORTED_AND_RELATIVE)
        return NULL;
    const uint8_t *at = table + 4;
    read_pointer(&at, table[1]);
    uint32_t count = READ(uint32_t, &at);
    int64_t place = (int64_t)(pc - (uintptr_t)table);
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int32_t start;
        __builtin_memcpy(&start, at + middle * 8ull, sizeof start);
        if (start <= place)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    int32_t fde;
    __builtin_memcpy(&fde, at + (low - 1) * 8ull + 4, sizeof fde);
    return table + fde;
}

int ph_find_frame_rules(uintptr_t pc, const uint8_t *table, struct frame_rules *result)
{
    const uint8_t *at = find_fde(table, pc);
    if (at == NULL)
        return 0;
    uint32_t bytes = READ(uint32_t, &at);
    const uint8_t *end = at + bytes, *identity = at;
    uint32_t to_cie = READ(uint32_t, &at);
    struct cie cie;
    if (bytes == 0 || bytes == UINT32_MAX || to_cie == 0 || !read_cie(identity - to_cie, &cie))
        return 0;
    uintptr_t start = read_pointer(&at, cie.address_encoding);
    uintptr_t length = read_pointer(&at, cie.address_encoding & 0x0f);
    if (pc - start >= length)
        return 0;
    if (cie.has_augmentation) {
        uint64_t skipped = read_unsigned(&at);
        at += skipped;
    }
    struct frame_rules rules = { .is_signal = cie.is_signal };
    if (!run(cie.instructions, cie.end, &cie, 0, 0, &rules, &rules))
        return 0;
    *result = rules;
    return run(at, end, &cie, start, pc, result, &rules);
}

static int read_register(const struct registers *registers, uint64_t number, uintptr_t *value)
{
    int place = place_of(number);
    if (number == 7)
        *value = registers->sp;
    else if (number == 16)
        *value = registers->pc;
    else if (place >= 0)
        *value = registers->tracked[place];
    else
        return 0;
    return 1;
}

static int evaluate(const uint8_t *at, const struct registers *registers, int has_first, uintptr_t first, uintptr_t *result)
{
    uintptr_t values[MOST_VALUES];
    int count = 0;
    uint64_t bytes = read_unsigned(&at);
    const uint8_t *end = at + bytes;
    if (has_first)
        values[count++] = first;
    while (at < end) {
        uint8_t code = *at++;
        uintptr_t pushed = 0;
        int takes = 0, pushes = 1;
        if (code >= 0x30 && code <= 0x4f) {
            pushed = code - 0x30;
        } else if (code >= 0x70 && code <= 0x8f) {
            if (!read_register(registers, code - 0x70, &pushed))
                return 0;
            pushed += (uintptr_t)read_signed(&at);
        } else {
            switch (code) {
            case 0x03: case 0x0e: case 0x0f: pushed = READ(uint64_t, &at); break;
            case 0x08: pushed = READ(uint8_t, &at); break;
            case 0x09: pushed = (uintptr_t)(intptr_t)READ(int8_t, &at); break;
            case 0x0a: pushed = READ(uint16_t, &at); break;
            case 0x0b: pushed = (uintptr_t)(intptr_t)READ(int16_t, &at); break;
            case 0x0c: pushed = READ(uint32_t, &at); break;
            case 0x0d: pushed = (uintptr_t)(intptr_t)READ(int32_t, &at); break;
            case 0x10: pushed = read_unsigned(&at); break;
            case 0x11: pushed = (uintptr_t)read_signed(&at); break;
            case 0x06: takes = 1; break;                          /* deref */
            case 0x12: takes = 1; pushes = 2; break;              /* dup */
            case 0x13: takes = 1; pushes = 0; break;              /* drop */
            case 0x23: takes = 1; break;                          /* plus_uconst */
            case 0x1a: case 0x1c: case 0x21: case 0x22: case 0x24: case 0x25: case 0x2a: takes = 2; break;
            default: return 0;
            }
        }
        if (count < takes || count - takes + pushes > MOST_VALUES)
            return 0;
        count -= takes;
        uintptr_t one = takes > 0 ? values[count] : 0, other = takes > 1 ? values[count + 1] : 0;
        if (takes > 0)
            switch (code) {
            case 0x06:
                if (!ph_read_word(one, registers->sp, &pushed))
                    return 0;
                break;
            case 0x12: pushed = values[count++] = one; pushes = 1; break;
            case 0x23: pushed = one + read_unsigned(&at); break;
            case 0x1a: pushed = one & other; break;
            case 0x1c: pushed = one - other; break;
            case 0x21: pushed = one | other; break;
            case 0x22: pushed = one + other; break;
            case 0x24: pushed = other < 64 ? one << other : 0; break;
            case 0x25: pushed = other < 64 ? one >> other : 0; break;
            case 0x2a: pushed = (intptr_t)one >= (intptr_t)other; break;
            }
        if (pushes > 0)
            values[count++] = pushed;
    }
    if (count == 0)
        return 0;
    *result = values[count - 1];
    return 1;
}

int ph_apply_frame_rules(struct registers *registers, const struct frame_rules *rules)
{
    struct registers caller = *registers;
    uintptr_t cfa;
    if (rules->cfa_register == BY_EXPRESSION) {
        if (!evaluate((const uint8_t *)(intptr_t)rules->cfa_value, registers, 0, 0, &cfa))
            return 0;
    } else {
        if (!read_register(registers, (uint64_t)rules->cfa_register, &cfa))
            return 0;
        cfa += (uintptr_t)rules->cfa_value;
    }

    /* Stacks grow down, but from the stack of a signal to the one that it interrupted it may go anywhere. */
    if (!rules->is_signal && (cfa <= registers->sp || cfa - registers->sp > FAR_BYTES))
        return 0;
    for (int place = 0; place < TRACKED; place++) {
        const struct rule *rule = &rules->rules[place];
        uintptr_t value = registers->tracked[place];
        int found = 1;
        switch (rule->kind) {
        case SAME: found = place != RETURN_ADDRESS; break;
        case UNDEFINED: found = place != RETURN_ADDRESS; break;
        case AT_CFA: found = ph_read_word(cfa + (uintptr_t)rule->value, registers->sp, &value); break;
        case IS_CFA: value = cfa + (uintptr_t)rule->value; break;
        default:
            found = evaluate((const uint8_t *)(intptr_t)rule->value, registers, 1, cfa, &value)
                && (rule->kind == IS_EXPRESSION || ph_read_word(value, registers->sp, &value));
        }
        if (!found)
            return 0;
        caller.tracked[place] = value;
    }
    caller.sp = cfa;
    caller.pc = caller.tracked[RETURN_ADDRESS];
    *registers = caller;
    return caller.pc != 0;
}

#endif
