/* What a call that returned null does about it. */
#ifndef PH_SHIM_RAISE_H
#define PH_SHIM_RAISE_H

#include "shim_thread.h"

/* The engine has finished its work and only left a status, if the call must raise; so who takes the exception may go wherever he likes. Returns
 * null when there is none. It lies in the thread's own state, which the thread's first call was not given. */
void *ph_raise_pending(void *heap, size_t bytes, void *caller);

#endif
