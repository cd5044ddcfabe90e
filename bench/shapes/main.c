/*
 * shapes NAME   does the work of one shape
 * shapes        lists the names, with the number of threads of each
 */
#include "shapes.h"
#include <string.h>

static const struct {
    const char *name;
    int threads;
    void (*run)(void);
} shapes[] = {
    { "tight", 1, tight },
    { "batch-small", 1, batch_small },
    { "batch-pages", 1, batch_pages },
    { "replace-10k", 1, replace_10k },
    { "replace-100k", 1, replace_100k },
    { "replace-1m", 1, replace_1m },
    { "bursts", 1, bursts },
    { "phases", 1, phases },
    { "aligned", 1, aligned },
    { "calloc", 1, calloc_all },
    { "realloc-steps", 1, realloc_steps },
    { "realloc-doubling", 1, realloc_doubling },
    { "large", 1, large },
    { "large-filled", 1, large_filled },
    { "handover", 2, handover },
    { "producers", 4, producers },
    { "server-4", 4, server_4 },
    { "server-16", 16, server_16 },
    { "alone-2", 2, alone_2 },
    { "alone-16", 16, alone_16 },
    { "sharing-passive", 4, sharing_passive },
    { "sharing-active", 4, sharing_active },
};

int main(int count, char **arguments)
{
    for (size_t index = 0; index < sizeof shapes / sizeof *shapes; index++) {
        if (count < 2) {
            printf("%s %d\n", shapes[index].name, shapes[index].threads);
        } else if (strcmp(arguments[1], shapes[index].name) == 0) {
            shapes[index].run();
            return 0;
        }
    }
    return count < 2 ? 0 : 2;
}
