/* What the groups of the conformance program share. A group observes one function: each observation is one line "Function: what: value", the same in every
 * run, so that transcripts can be compared line by line. No line holds an address; facts about addresses are said as relations. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <windows.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNTOUCHED = 0xBEEF, KiB = 1024, MiB = 1024 * 1024 };
#define NO_SIZE ((SIZE_T)-1)

/* One line. The names of one group are distinct: the program ends with a message when a name comes twice. */
void observe(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Composes a name in a buffer that the next NAMES - 1 calls leave alone. */
enum { NAMES = 32 };
const char *named(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sets the last error to UNTOUCHED. */
void forget_error(void);

/* "untouched", or the last error as a number. */
const char *last_error(void);

/* "yes" or "no". */
const char *yes(int fact);

/* The value of a SIZE_T: "-1" for (SIZE_T)-1, else decimal. */
const char *size(SIZE_T bytes);

/* Two lines: "NAME: VALUE" and "NAME, last error: ...". The expression is evaluated once, with the last error forgotten before it. */
#define OBSERVE_BOOL(name, expression) observe_result(name, RAISED_OR(yes((forget_error(), (expression)) != 0)))
#define OBSERVE_SIZE(name, expression) observe_result(name, RAISED_OR(size((forget_error(), (expression)))))
#define OBSERVE_NUMBER(name, expression) observe_result(name, RAISED_OR(number((forget_error(), (unsigned long long)(expression)))))
#define OBSERVE_NULL(name, expression) observe_result(name, RAISED_OR(((forget_error(), (expression)) != NULL) ? "not NULL" : "NULL"))
void observe_result(const char *name, const char *result);
const char *number(unsigned long long value); /* decimal up to 0xFFFF, else 0x... */

/* What raising looks like: "raised 0xC0000017" in place of the value. Any exception of the expression counts that nobody else handles, access violations
 * too; where there are no exceptions, faults and what the raising heap functions report. */
#define RAISED_OR(expression) (sigsetjmp_here(begin_guard()) == 0 ? end_guard(expression) : raised())
#define begin_guard() (*begin_guard_())
#if defined(_WIN32)
typedef jmp_buf guard_buffer;
/* A null frame keeps longjmp from unwinding, which has no meaning on the way out of an exception filter. */
#define sigsetjmp_here(buffer) _setjmp((buffer), NULL)
#else
typedef sigjmp_buf guard_buffer;
#define sigsetjmp_here(buffer) sigsetjmp((buffer), 0)
#endif
guard_buffer *begin_guard_(void);
const char *end_guard(const char *result);
const char *raised(void);
#if defined(_WIN32)
extern EXCEPTION_RECORD raised_record; /* of what was raised last */
#endif

/* Runs a function on another thread and waits for it. */
void on_thread(void (*function)(void *), void *argument);

/* Starts a function on another thread; whether it has come back; whether it has not even after half a second. finish waits for it. */
struct other;
struct other *start(void (*function)(void *), void *argument);
int is_done(const struct other *other);
int is_waiting(const struct other *other);
void finish(struct other *other);
void pause_for(int milliseconds);

/* Whether count bytes have the value. */
int all_bytes(const void *block, size_t count, unsigned char value);

/* The groups, each with its function or several, in the order in which they run; groups.h lists them as GROUP(function, "Name"). */
#define GROUP(function, name) void function(void);
#include "groups.h"
#undef GROUP

#endif
