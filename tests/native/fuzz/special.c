/* Functions that change the process for good or end it: each is called in a child of its own. */
#include "fuzz.h"

#include <sys/wait.h>

static void terminate_on_corruption(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    void *block = HeapAlloc(heap, 0, 100);
    if (!HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0))
        _exit(2);
    if (!HeapFree(heap, 0, block) || HeapValidate(heap, 0, block))
        _exit(3);
    HeapFree(heap, 0, block); /* again, which ends the process */
}

static void choose_contract(void)
{
    HEAP_CONTRACT before = GetHeapContract(), other = before == HeapContractObserved ? HeapContractDocumented : HeapContractObserved;
    if (!SetHeapContract(other) || GetHeapContract() != other || HeapCreate(0, 0, 0) == NULL)
        _exit(2);
    SetLastError(UNTOUCHED);
    if (SetHeapContract(before) || GetLastError() != ERROR_ALREADY_INITIALIZED || GetHeapContract() != other)
        _exit(3);
}

static void raise_without_handler(void)
{
    SetHeapRaiseHandler(NULL, NULL);
    HeapAlloc(HeapCreate(0, 0, 0), HEAP_GENERATE_EXCEPTIONS, NO_SIZE);
}

static const struct special { const char *function; void (*run)(void); int ends_by_signal; } specials[] = {
    { "HeapSetInformation", terminate_on_corruption, SIGABRT }, { "SetHeapContract", choose_contract, 0 }, { "SetHeapRaiseHandler", raise_without_handler, SIGABRT },
};
enum { SPECIALS = sizeof specials / sizeof *specials };
const char *const special_functions[SPECIALS + 1] = { "HeapSetInformation", "SetHeapContract", "SetHeapRaiseHandler" };

void run_special_functions(void)
{
    for (int i = 0; i < SPECIALS; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            /* What the end of the child says is expected. */
            if (specials[i].ends_by_signal != 0 && freopen("/dev/null", "w", stderr) == NULL)
                _exit(9);
            specials[i].run();
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status) ? WTERMSIG(status) != specials[i].ends_by_signal : specials[i].ends_by_signal != 0 || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "fuzz: %s, in a process of its own, ended with wait status 0x%X\n", specials[i].function, status);
            exit(1);
        }
    }
}
