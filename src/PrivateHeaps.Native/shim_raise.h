/* What a call that returned null does about it. */
#ifndef PH_SHIM_RAISE_H
#define PH_SHIM_RAISE_H

#include "shim_thread.h"

/* The engine has finished its work and only left a status, if the call must raise; so who takes the exception may go wherever he likes. Returns
 * null when there is none. thread: the state that the call was given; it is another one now if this was the thread's first call. */
void *ph_raise_pending(struct ph_thread *thread, void *heap, size_t bytes, void *caller);

#endif
