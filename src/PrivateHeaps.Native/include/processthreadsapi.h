/* The calling process, by PrivateHeaps. Link with -lprivateheaps. */
#ifndef PRIVATEHEAPS_PROCESSTHREADSAPI_H
#define PRIVATEHEAPS_PROCESSTHREADSAPI_H

#include <windef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A constant that stands for the calling process wherever a handle of it is needed. */
HANDLE WINAPI GetCurrentProcess(void);

DWORD WINAPI GetCurrentProcessId(void);

#ifdef __cplusplus
}
#endif

#endif
