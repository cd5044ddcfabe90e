/* VirtualQuery and VirtualProtect of memory that VirtualAlloc did not reserve, and what a program asks of the machine. */
#include "virtual_check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

static int initialized = 5;
static const char constant[64] = "constant";

TEST("the program's image is told by its pages")
{
    MEMORY_BASIC_INFORMATION code = query((void *)(uintptr_t)can_read), text = query(constant), data = query(&initialized);
    CHECK(code.Protect == PAGE_EXECUTE_READ && text.Protect == PAGE_READONLY && data.Protect == PAGE_READWRITE);
    CHECK(code.Type == MEM_IMAGE && text.Type == MEM_IMAGE && data.Type == MEM_IMAGE);
    CHECK(code.State == MEM_COMMIT && text.State == MEM_COMMIT && data.State == MEM_COMMIT);
    CHECK(code.AllocationBase == text.AllocationBase && code.AllocationBase == data.AllocationBase);
    CHECK(memcmp(code.AllocationBase, "\177ELF", 4) == 0);
}

TEST("stack, heap blocks and anonymous mappings are private")
{
    int local;
    char *block = HeapAlloc(GetProcessHeap(), 0, 10 * MiB);
    char *mapping = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MEMORY_BASIC_INFORMATION information = query(&local);
    CHECK(information.State == MEM_COMMIT && information.Type == MEM_PRIVATE && information.Protect == PAGE_READWRITE);
    information = query(block);
    CHECK(information.State == MEM_COMMIT && information.Type == MEM_PRIVATE && information.Protect == PAGE_READWRITE);
    CHECK(information.RegionSize >= 10 * MiB - PAGE);
    information = query(mapping + PAGE);
    CHECK(information.State == MEM_COMMIT && information.Type == MEM_PRIVATE && information.Protect == PAGE_READONLY);
    munmap(mapping, 3 * PAGE);
    check_free(mapping);
}

TEST("mapped files and shared memory are mapped, inaccessible memory is reserved")
{
    int file = open("/proc/self/exe", O_RDONLY);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    char *nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MEMORY_BASIC_INFORMATION information = query(shared);
    CHECK(information.State == MEM_COMMIT && information.Type == MEM_MAPPED && information.Protect == PAGE_READWRITE);
    information = query(view);
    CHECK(information.State == MEM_COMMIT && information.Type == MEM_MAPPED && information.Protect == PAGE_READONLY);
    information = query(nothing);
    CHECK(information.State == MEM_RESERVE && information.Type == MEM_PRIVATE && information.Protect == 0);
    munmap(shared, PAGE);
    munmap(view, PAGE);
    munmap(nothing, PAGE);
    close(file);
}

TEST("a reservation is not mixed up with inaccessible memory beside it")
{
    char *base = free_address(), *start;
    char *below = mmap(base, GRANULARITY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    CHECK((start = VirtualAlloc(base + GRANULARITY, GRANULARITY, MEM_RESERVE, PAGE_NOACCESS)) == base + GRANULARITY);
    char *above = mmap(base + 2 * GRANULARITY, GRANULARITY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    MEMORY_BASIC_INFORMATION information = query(below);
    CHECK_EQUAL(GRANULARITY, information.RegionSize);
    check_region(start, start, PAGE_NOACCESS, GRANULARITY, 0);
    information = query(above);
    CHECK(information.AllocationBase == above);
    must_release(start);
    munmap(below, GRANULARITY);
    munmap(above, GRANULARITY);
}

TEST("a walk through all addresses meets each range once and ends at the highest address")
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    char *address = NULL, *start = must_alloc(5 * PAGE, MEM_RESERVE, PAGE_NOACCESS), *end = (char *)system.lpMaximumApplicationAddress + 1;
    int regions = 0, met = 0;
    MEMORY_BASIC_INFORMATION information;
    SIZE_T bytes;
    CHECK(VirtualAlloc(start + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL);
    while ((bytes = VirtualQuery(address, &information, sizeof information)) != 0 && regions < 100000) {
        CHECK(information.BaseAddress == address && information.RegionSize > 0);
        met += information.AllocationBase == start;
        address += information.RegionSize;
        regions++;
    }
    CHECK(address == end);
    CHECK_EQUAL(ERROR_INVALID_PARAMETER, GetLastError());
    CHECK_EQUAL(3, met);
    CHECK(regions > 10);
    must_release(start);
}

TEST("VirtualQuery refuses bad buffers and addresses that no program can have")
{
    MEMORY_BASIC_INFORMATION information;
    CHECK_ERROR(ERROR_BAD_LENGTH, VirtualQuery(&information, &information, sizeof information - 1) == 0);
    CHECK_ERROR(ERROR_BAD_LENGTH, VirtualQuery(&information, NULL, 0) == 0);
    CHECK_ERROR(ERROR_NOACCESS, VirtualQuery(&information, NULL, sizeof information) == 0);
    CHECK_ERROR(UNTOUCHED, VirtualQuery(&information, &information, sizeof information + 100) == sizeof information);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualQuery((void *)(uintptr_t)0x0001000000000000, &information, sizeof information) == 0);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualQuery((void *)(uintptr_t)0x8000000000000000, &information, sizeof information) == 0);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualQuery((void *)UINTPTR_MAX, &information, sizeof information) == 0);
    unsigned seed = 3;
    for (int i = 0; i < 500; i++) {
        uintptr_t address = ((uintptr_t)rand_r(&seed) << 33 ^ (uintptr_t)rand_r(&seed) << 8) >> rand_r(&seed) % 40;
        CHECK(VirtualQuery((void *)address, &information, sizeof information) == (address < (uintptr_t)0x7FFFFFFFF000 ? sizeof information : 0));
    }
}

TEST("memory of others can be protected, and gets its protection back")
{
    DWORD old;
    char *mapping = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapping[PAGE] = 5;
    CHECK_ERROR(UNTOUCHED, VirtualProtect(mapping + PAGE + 7, 1, PAGE_NOACCESS, &old));
    CHECK_EQUAL(PAGE_READWRITE, old);
    CHECK(can_write(mapping) && !can_read(mapping + PAGE) && can_write(mapping + 2 * PAGE));
    CHECK_ERROR(UNTOUCHED, VirtualProtect(mapping + PAGE, 1, old, &old));
    CHECK_EQUAL(PAGE_NOACCESS, old);
    CHECK(can_write(mapping + PAGE) && mapping[PAGE] == 5);
    CHECK_ERROR(UNTOUCHED, VirtualProtect(mapping, 3 * PAGE, PAGE_READONLY, &old));
    CHECK(!can_write(mapping) && !can_write(mapping + 2 * PAGE));
    munmap(mapping + PAGE, PAGE);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(mapping, 3 * PAGE, PAGE_READWRITE, &old));
    CHECK(!can_write(mapping) && !can_write(mapping + 2 * PAGE));
    munmap(mapping, 3 * PAGE);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(mapping, PAGE, PAGE_READWRITE, &old));
#if defined __x86_64__
    static const unsigned char code[] = { 0xB8, 42, 0, 0, 0, 0xC3 }; /* mov eax, 42; ret */
    HANDLE heap = HeapCreate(0, 0, 0);
    unsigned char *block = HeapAlloc(heap, 0, sizeof code);
    memcpy(block, code, sizeof code);
    CHECK(VirtualProtect(block, sizeof code, PAGE_EXECUTE_READWRITE, &old));
    CHECK_EQUAL(PAGE_READWRITE, old);
    CHECK_EQUAL(42, ((int (*)(void))block)());
    CHECK(VirtualProtect(block, sizeof code, old, &old) && HeapFree(heap, 0, block) && HeapDestroy(heap));
#endif
}

TEST("GetSystemInfo counts the processors that the program may use")
{
    SYSTEM_INFO system;
    cpu_set_t all, one;
    memset(&system, 0x55, sizeof system);
    CHECK_ERROR(UNTOUCHED, (GetSystemInfo(&system), 1));
    CHECK_EQUAL(sysconf(_SC_PAGESIZE), system.dwPageSize);
    CHECK_EQUAL(65536, system.dwAllocationGranularity);
    CHECK_EQUAL(65536, (uintptr_t)system.lpMinimumApplicationAddress);
    CHECK((uintptr_t)system.lpMaximumApplicationAddress >= 0x7FFFFFFEFFFF);
#if defined __x86_64__
    CHECK(system.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64 && system.dwProcessorType == PROCESSOR_AMD_X8664);
    CHECK(system.wProcessorLevel >= 6 && system.wProcessorRevision != 0);
#endif
    CPU_ZERO(&all);
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    CHECK_EQUAL(CPU_COUNT(&all), system.dwNumberOfProcessors);
    int first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    GetSystemInfo(&system);
    CHECK_EQUAL(1, system.dwNumberOfProcessors);
    if (first < 64)
        CHECK_EQUAL((DWORD_PTR)1 << first, system.dwActiveProcessorMask);
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

static MEMORYSTATUSEX memory_status(void)
{
    MEMORYSTATUSEX status = { .dwLength = sizeof status };
    CHECK_ERROR(UNTOUCHED, GlobalMemoryStatusEx(&status));
    return status;
}

TEST("GlobalMemoryStatusEx measures memory and addresses")
{
    must_release(must_alloc(PAGE, MEM_RESERVE, PAGE_NOACCESS)); /* starts the engine, which takes addresses of its own */
    MEMORYSTATUSEX status = memory_status();
    CHECK_EQUAL(sizeof status, status.dwLength);
    CHECK(status.dwMemoryLoad <= 100 && status.ullAvailPhys <= status.ullTotalPhys && status.ullTotalPhys > 0);
    CHECK(status.ullTotalPhys <= (DWORDLONG)sysconf(_SC_PHYS_PAGES) * (DWORDLONG)sysconf(_SC_PAGESIZE));
    CHECK(status.ullTotalPageFile >= status.ullTotalPhys && status.ullAvailPageFile >= status.ullAvailPhys);
    CHECK(status.ullAvailPageFile <= status.ullTotalPageFile && status.ullAvailExtendedVirtual == 0);
    CHECK(status.ullAvailVirtual < status.ullTotalVirtual);
    char *start = must_alloc((SIZE_T)1 << 40, MEM_RESERVE, PAGE_NOACCESS);
    CHECK_EQUAL((DWORDLONG)1 << 40, status.ullAvailVirtual - memory_status().ullAvailVirtual);
    must_release(start);
    struct rlimit limit = { (rlim_t)1 << 42, (rlim_t)1 << 42 };
    if (setrlimit(RLIMIT_AS, &limit) == 0)
        CHECK_EQUAL((DWORDLONG)1 << 42, memory_status().ullTotalVirtual);
}

TEST("GlobalMemoryStatusEx refuses a structure of another size")
{
    MEMORYSTATUSEX status;
    for (DWORD length = 0; length < 100; length++)
        if (length != sizeof status) {
            status.dwLength = length;
            CHECK_ERROR(ERROR_INVALID_PARAMETER, !GlobalMemoryStatusEx(&status));
        }
    CHECK_ERROR(ERROR_NOACCESS, !GlobalMemoryStatusEx(NULL));
}

TEST("the calling process has a handle and a number, and no large pages")
{
    CHECK(GetCurrentProcess() == (HANDLE)(LONG_PTR)-1);
    CHECK_EQUAL(getpid(), GetCurrentProcessId());
    CHECK_ERROR(UNTOUCHED, GetLargePageMinimum() == 0);
}
