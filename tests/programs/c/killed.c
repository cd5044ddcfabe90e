/* killed MICROSECONDS FILE: a process and its two children allocate and free blocks of 100 bytes, by four threads each, until a thread of their own
 * kills them, at a time drawn from the number, in the middle of whatever the others do. The file outlives them and holds what each process has begun and
 * what it has done. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Read by ../python/killed.py. */
struct truth { long process; atomic_long allocations_begun, allocations_done, frees_begun, frees_done; };

static struct truth *truth;

static void *work(void *argument)
{
    void *blocks[500] = { 0 };
    for (unsigned i = (unsigned)(size_t)argument * 7;; i++) {
        void **block = &blocks[i * 7919u % 500];
        if (*block != NULL) {
            atomic_fetch_add(&truth->frees_begun, 1);
            free(*block);
            atomic_fetch_add(&truth->frees_done, 1);
            *block = NULL;
        } else {
            atomic_fetch_add(&truth->allocations_begun, 1);
            *block = malloc(100);
            atomic_fetch_add(&truth->allocations_done, 1);
        }
    }
    return NULL;
}

static void live(unsigned microseconds)
{
    pthread_t thread;
    truth->process = getpid();
    for (size_t i = 1; i <= 4; i++)
        pthread_create(&thread, NULL, work, (void *)i);
    usleep(microseconds);
    kill(getpid(), SIGKILL);
    pause();
}

int main(int count, char **arguments)
{
    int file = count == 3 ? open(arguments[2], O_RDWR) : -1;
    unsigned microseconds = count == 3 ? atoi(arguments[1]) : 0;
    truth = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (truth == MAP_FAILED)
        return 1;
    for (unsigned child = 1; child <= 2; child++)
        if (fork() == 0) {
            truth += child;
            live(microseconds * child / 2 + child);
        }
    while (wait(NULL) > 0)
        ;
    live(microseconds);
    return 2;
}
