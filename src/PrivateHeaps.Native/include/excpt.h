/* Structured exceptions for the heap functions that raise: HeapAlloc and HeapReAlloc with HEAP_GENERATE_EXCEPTIONS, of the heap or of the call.
 *
 *     __try {
 *         block = HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, bytes);
 *     }
 *     __except (GetExceptionCode() == STATUS_NO_MEMORY ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
 *         ...
 *     }
 *
 * In C; in C++ throw from a handler of SetHeapRaiseHandler instead. The blocks nest, also across functions; "return" and "goto" may leave them.
 * What differs from Microsoft's compiler: "break" and "continue" inside the block end the block, not a loop around it; a variable that the block
 * changes and the handler reads must be volatile, as with setjmp; the filter runs after the functions between were left; and faults of the
 * processor are not caught. An exception that no filter takes goes to the handler of SetHeapRaiseHandler. */
#ifndef PRIVATEHEAPS_EXCPT_H
#define PRIVATEHEAPS_EXCPT_H

#include <setjmp.h>
#include <windef.h>

/* What a filter says: this handler takes the exception, an outer one may, or the program should go on where it was raised. The exceptions of the heap
 * functions cannot be continued: an outer handler then gets STATUS_NONCONTINUABLE_EXCEPTION. */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#define EXCEPTION_NONCONTINUABLE 0x1
#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
    DWORD ExceptionCode;  /* STATUS_NO_MEMORY or STATUS_ACCESS_VIOLATION */
    DWORD ExceptionFlags; /* EXCEPTION_NONCONTINUABLE */
    struct _EXCEPTION_RECORD *ExceptionRecord; /* NULL */
    PVOID ExceptionAddress; /* where the call returns to */
    DWORD NumberParameters; /* 0 */
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct _EXCEPTION_POINTERS {
    PEXCEPTION_RECORD ExceptionRecord;
    PVOID ContextRecord; /* NULL: there is no processor context to change */
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS, *LPEXCEPTION_POINTERS;

/* A __try block that is being executed; for the macros below. */
typedef struct _HEAP_TRY {
    struct _HEAP_TRY *Outer;
    int IsDone;
    EXCEPTION_RECORD Record;
    EXCEPTION_POINTERS Pointers;
    jmp_buf Place;
} HEAP_TRY;

#ifdef __cplusplus
extern "C" {
#endif

/* For the macros: makes the block the thread's innermost one; takes it out again; does what the filter said, and returns only to execute the handler. */
HEAP_TRY *EnterHeapTry(HEAP_TRY *block);
void LeaveHeapTry(HEAP_TRY *block);
BOOL FilterHeapException(HEAP_TRY *block, LONG filter);

#ifdef __cplusplus
}
#else

#define __try \
    for (HEAP_TRY ph_try __attribute__((__cleanup__(LeaveHeapTry))) = { .IsDone = 0 }; !ph_try.IsDone; ph_try.IsDone = 1) \
        if (setjmp(EnterHeapTry(&ph_try)->Place) == 0)

#define __except(...) \
        else if (FilterHeapException(&ph_try, (__VA_ARGS__)))

/* In the filter and in the handler. */
#define GetExceptionCode() (ph_try.Record.ExceptionCode)
#define GetExceptionInformation() (&ph_try.Pointers)

#endif

#endif
