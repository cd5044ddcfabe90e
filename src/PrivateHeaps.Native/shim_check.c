/* The checks of a process: those of the environment (PRIVATEHEAPS_CHECK) begin when the library is loaded, and all end with the process. What touches a page
 * beside a block or a freed block is found by the signal that this raises; any other such signal goes where it would have gone. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

int ph_check_start(struct ph_thread *); /* whether there are guard pages */
void ph_check_end(struct ph_thread *, int with_leaks);
int ph_check_fault(const void *address, int is_write); /* whether it was such a page; reported then */

static struct sigaction next_segv, next_bus;

static int is_write(const void *context)
{
#if defined(__x86_64__)
    return (((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    return (void)context, 1;
#endif
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (info->si_code > 0 && ph_check_fault(info->si_addr, is_write(context)))
        abort();

    struct sigaction *next = signal == SIGSEGV ? &next_segv : &next_bus;
    if (next->sa_flags & SA_SIGINFO)
        next->sa_sigaction(signal, info, context);
    else if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN)
        next->sa_handler(signal);
    else
        /* The instruction runs again, and its signal ends the process as it would have without us. */
        sigaction(signal, next, NULL);
}

static void listen(void)
{
    struct sigaction ours = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigaction(SIGSEGV, &ours, &next_segv);
    sigaction(SIGBUS, &ours, &next_bus);
}

/* Only now is the environment sure to be readable. */
__attribute__((constructor(102))) static void checks_start(void)
{
    if (getenv("PRIVATEHEAPS_CHECK") != NULL && ph_check_start(ph_thread))
        listen();
}

/* A process that ends by _exit leaves its blocks on purpose; often it is the child of a fork. */
void ph_checks_end(int with_leaks) { ph_check_end(ph_thread, with_leaks); }

__attribute__((destructor)) static void checks_end(void) { ph_checks_end(1); }
