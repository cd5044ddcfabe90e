/* How one frame of a stack leads to the next, by the tables that compilers write for exceptions. */
#ifndef PH_SHIM_UNWIND_H
#define PH_SHIM_UNWIND_H

#include <stdint.h>

/* DWARF's numbers of the registers that calls preserve, in the order of their places below; the return address counts as one. */
enum { RBX, RBP, R12, R13, R14, R15, RETURN_ADDRESS, TRACKED };

/* How a value of the caller's is found. */
enum rule_kind { SAME, UNDEFINED, AT_CFA, IS_CFA, AT_EXPRESSION, IS_EXPRESSION };

struct rule {
    int64_t value; /* the distance from the CFA, or the address of the expression, which begins with its length */
    int kind;
};

/* What holds at one instruction. The CFA is the caller's stack pointer: a register plus a distance, or an expression where the register is negative. */
struct frame_rules {
    int64_t cfa_value;
    int cfa_register; /* DWARF's number */
    int is_signal;    /* the frame that the kernel made: its caller was interrupted, not called */
    struct rule rules[TRACKED];
};

struct registers {
    uintptr_t pc, sp;
    uintptr_t tracked[TRACKED];
};

/* A word of a stack whose pointer is at sp; 0 when it is not there. */
int ph_read_word(uintptr_t address, uintptr_t sp, uintptr_t *value);

/* 0 where no table describes the instruction, or in a way that is not understood. Allocates nothing, takes no lock. table is the .eh_frame_hdr of
 * the program or library. */
int ph_find_frame_rules(uintptr_t pc, const uint8_t *table, struct frame_rules *result);

/* Replaces the registers by the caller's; 0 at the outermost frame and where the stack makes no sense. */
int ph_apply_frame_rules(struct registers *registers, const struct frame_rules *rules);

#endif
