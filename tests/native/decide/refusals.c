/* What malloc's functions do with an address that is no block: they end the process with one sentence. So each is called in a child. */
#include "decide.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

void free_sized(void *block, size_t bytes);
void _ZdlPv(void *block);

static void call(unsigned function, void *address)
{
    void *volatile resized;
    switch (function) {
        case 0: resized = realloc(address, 100); break;
        case 1: resized = realloc(address, 0); break;
        case 2: resized = reallocarray(address, 10, 10); break;
        case 3: free_sized(address, 10); break;
        case 4: _ZdlPv(address); break;
        default: free(address);
    }
    (void)resized;
}

static void read_sentence(int end, char *text, size_t capacity)
{
    size_t length = 0;
    ssize_t count;
    while (length + 1 < capacity && (count = read(end, text + length, capacity - 1 - length)) > 0)
        length += (size_t)count;
    text[length] = 0;
}

void end_by_malloc(void)
{
    int is_certain, ends[2], status = -1;
    unsigned char *address = any_address(&is_certain);
    int at = block_at(address), around = block_around(address);
    unsigned function = below(8);
    char text[500], start[100];
    if (!is_certain || (at >= 0 && blocks[at].heap == PROCESS))
        return;
    calling("what ends in a child: 0 to 2 realloc, 3 and more free", (int)function, address, 0);
    MUST(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        call(function, address);
        _exit(0);
    }
    close(ends[1]);
    read_sentence(ends[0], text, sizeof text);
    close(ends[0]);
    while (waitpid(child, &status, 0) != child)
        ;
    snprintf(start, sizeof start, "privateheaps: %s() was given 0x", function < 3 ? "realloc" : "free");
    int is_right = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strncmp(text, start, strlen(start)) == 0
        && strchr(text, '\n') == text + strlen(text) - 1;
    if (is_right && at >= 0)
        is_right = strstr(text, "a live block of another heap") != NULL;
    else if (is_right && around >= 0) {
        snprintf(start, sizeof start, "points %zu bytes into a live block of %zu bytes", (size_t)(address - blocks[around].address), (size_t)blocks[around].bytes);
        is_right = strstr(text, start) != NULL;
    }
    if (!is_right)
        dprintf(STDERR_FILENO, "decide: the child ended with wait status 0x%X and said: %s\n", status, text);
    MUST(is_right && "the sentence is the right one");
}
