/* Handlers of fork that may allocate, whenever they were registered. Only the malloc library has this: what uses the other one is
 * initialized after it. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <dlfcn.h>
#include <errno.h>

/* What pthread_atfork of glibc is. Prepare handlers run in reverse order of registration, the others in order. A library whose constructor
 * runs before ours, or a program in its preinit functions, may register handlers that allocate: ours go before the first of them, so that they run
 * while the heaps do not stand still. */
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
{
    static int (*next)(void (*)(void), void (*)(void), void (*)(void), void *);
    if (next == NULL)
        next = dlsym(RTLD_NEXT, "__register_atfork");
    ph_register_fork_handlers();
    return next != NULL ? next(prepare, parent, child, library) : ENOSYS;
}
