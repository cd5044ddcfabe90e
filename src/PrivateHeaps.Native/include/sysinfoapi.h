/* What a program asks of the machine, by PrivateHeaps. Link with -lprivateheaps. Functions may be called from any thread. */
#ifndef PRIVATEHEAPS_SYSINFOAPI_H
#define PRIVATEHEAPS_SYSINFOAPI_H

#include <windef.h>

#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_ARCHITECTURE_ARM64 12
#define PROCESSOR_AMD_X8664 8664

typedef struct _SYSTEM_INFO {
    union {
        DWORD dwOemId;
        __extension__ struct {
            WORD wProcessorArchitecture;
            WORD wReserved;
        };
    };
    DWORD dwPageSize;
    LPVOID lpMinimumApplicationAddress;
    LPVOID lpMaximumApplicationAddress; /* the last byte that a program can have */
    DWORD_PTR dwActiveProcessorMask; /* of the first 64 processors, those that the calling thread may run on */
    DWORD dwNumberOfProcessors; /* all that the calling thread may run on */
    DWORD dwProcessorType;
    DWORD dwAllocationGranularity;
    WORD wProcessorLevel; /* the family */
    WORD wProcessorRevision; /* model and stepping, a byte each */
} SYSTEM_INFO, *LPSYSTEM_INFO;

/* Bytes. In a container, "physical" is its limit and what it has left. */
typedef struct _MEMORYSTATUSEX {
    DWORD dwLength; /* sizeof(MEMORYSTATUSEX), set by the caller */
    DWORD dwMemoryLoad; /* percent of the physical memory in use */
    DWORDLONG ullTotalPhys;
    DWORDLONG ullAvailPhys;
    DWORDLONG ullTotalPageFile; /* physical memory and swap space together */
    DWORDLONG ullAvailPageFile;
    DWORDLONG ullTotalVirtual; /* addresses */
    DWORDLONG ullAvailVirtual;
    DWORDLONG ullAvailExtendedVirtual; /* 0 */
} MEMORYSTATUSEX, *LPMEMORYSTATUSEX;

#ifdef __cplusplus
#define PRIVATEHEAPS_LAYOUT(fact) static_assert(fact, #fact)
#else
#define PRIVATEHEAPS_LAYOUT(fact) _Static_assert(fact, #fact)
#endif
#ifdef __LP64__
PRIVATEHEAPS_LAYOUT(sizeof(SYSTEM_INFO) == 48 && offsetof(SYSTEM_INFO, dwActiveProcessorMask) == 24);
PRIVATEHEAPS_LAYOUT(offsetof(SYSTEM_INFO, wProcessorRevision) == 46);
#endif
PRIVATEHEAPS_LAYOUT(sizeof(MEMORYSTATUSEX) == 64 && offsetof(MEMORYSTATUSEX, ullAvailExtendedVirtual) == 56);
#undef PRIVATEHEAPS_LAYOUT

#ifdef __cplusplus
extern "C" {
#endif

void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);

/* ERROR_INVALID_PARAMETER for another dwLength. */
BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX lpBuffer);

#ifdef __cplusplus
}
#endif

#endif
