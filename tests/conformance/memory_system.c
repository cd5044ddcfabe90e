/* GetSystemInfo, GlobalMemoryStatusEx, GetLargePageMinimum, GetCurrentProcess and GetCurrentProcessId: what holds on every machine. */
#include "memory.h"

static int bits(uintptr_t value)
{
    int count = 0;
    for (; value != 0; value &= value - 1)
        count++;
    return count;
}

void get_system_info(void)
{
    SYSTEM_INFO system, again;
    memset(&system, 0xCD, sizeof system);
    memset(&again, 0xAB, sizeof again);
    SetLastError(UNTOUCHED);
    GetSystemInfo(&system);
    GetSystemInfo(&again);
    observe("last error", "%s", last_error());
    observe("page", "%u", (unsigned)system.dwPageSize);
    observe("granularity of reservations", "%u", (unsigned)system.dwAllocationGranularity);
    observe("architecture", "%u", (unsigned)system.wProcessorArchitecture);
    observe("reserved word", "%u", (unsigned)system.wReserved);
    observe("type of processor", "%u", (unsigned)system.dwProcessorType);
    observe("first address", "0x%llX", (unsigned long long)(uintptr_t)system.lpMinimumApplicationAddress);
    observe("last address ends a unit", "%s", yes(((uintptr_t)system.lpMaximumApplicationAddress + 1) % UNIT == 0));
    observe("last address is in the lower half", "%s", yes((uintptr_t)system.lpMaximumApplicationAddress < (uintptr_t)1 << 47));
    int local;
    observe("the stack lies between them", "%s", yes((void *)&local > system.lpMinimumApplicationAddress && (void *)&local < system.lpMaximumApplicationAddress));
    observe("has a processor", "%s", yes(system.dwNumberOfProcessors >= 1));
    observe("as many processors as bits of the mask", "%s", yes(system.dwNumberOfProcessors == (DWORD)bits(system.dwActiveProcessorMask)));
    observe("the same again", "%s", yes(memcmp(&system, &again, sizeof system) == 0));
    char *pages = reserve_pages();
    observe("a reservation lies between them", "%s", yes((void *)pages >= system.lpMinimumApplicationAddress && (void *)pages < system.lpMaximumApplicationAddress));
    release_pages(pages);
}

void global_memory_status_ex(void)
{
    MEMORYSTATUSEX status;
    memset(&status, 0xCD, sizeof status);
    status.dwLength = sizeof status;
    OBSERVE_BOOL("its length", GlobalMemoryStatusEx(&status));
    observe("its length, length after it", "%u", (unsigned)status.dwLength);
    observe("load is a percentage", "%s", yes(status.dwMemoryLoad <= 100));
    long long load = (long long)((status.ullTotalPhys - status.ullAvailPhys) * 100 / status.ullTotalPhys);
    observe("load is that of physical memory", "%s", yes(llabs((long long)status.dwMemoryLoad - load) <= 1));
    observe("available physical memory is part of all", "%s", yes(status.ullAvailPhys > 0 && status.ullAvailPhys <= status.ullTotalPhys));
    observe("the page file's limit is no less than physical memory", "%s", yes(status.ullTotalPageFile >= status.ullTotalPhys));
    observe("available page file is part of all", "%s", yes(status.ullAvailPageFile <= status.ullTotalPageFile));
    observe("available addresses are part of all", "%s", yes(status.ullAvailVirtual > 0 && status.ullAvailVirtual <= status.ullTotalVirtual));
    observe("addresses", "%s", yes(status.ullTotalVirtual > (DWORD64)1 << 46 && status.ullTotalVirtual <= (DWORD64)1 << 47));
    observe("extended addresses", "%s", number(status.ullAvailExtendedVirtual));
    status.dwLength = 0;
    OBSERVE_BOOL("length 0", GlobalMemoryStatusEx(&status));
    status.dwLength = sizeof status - 1;
    OBSERVE_BOOL("short by one", GlobalMemoryStatusEx(&status));
    status.dwLength = sizeof status + 1;
    OBSERVE_BOOL("long by one", GlobalMemoryStatusEx(&status));
    OBSERVE_BOOL("no structure", GlobalMemoryStatusEx(NULL));
}

void get_large_page_minimum(void) { OBSERVE_NUMBER("bytes", GetLargePageMinimum()); }

void get_current_process(void) { observe("handle", "%s", size((SIZE_T)GetCurrentProcess())); }

static DWORD id_there;
static void ask_there(void *unused) { (void)unused, id_there = GetCurrentProcessId(); }

void get_current_process_id(void)
{
    on_thread(ask_there, NULL);
    observe("is a number", "%s", yes(GetCurrentProcessId() != 0));
    observe("the same again, and on another thread", "%s", yes(GetCurrentProcessId() == id_there));
}
