/* Where the system promises no more memory than it has, a commit fails, and not the touch of a page. Whatever was promised goes back at once. */
#include "check.h"
#include <errno.h>

enum { MOST = 4000 };

TEST("a process that commits all the memory there is, is refused, and served again")
{
    static void *blocks[MOST];
    const size_t bytes = 256 << 20;
    int count = 0;
    errno = 0;
    while (count < MOST && (blocks[count] = malloc(bytes)) != NULL)
        count++;
    int error = errno;
    void *small = malloc(100);
    for (int i = 0; i < count; i++)
        free(blocks[i]);
    CHECK(count > 0 && count < MOST);
    CHECK_EQUAL(ENOMEM, error);
    free(small);
    for (int i = 0; i < 1000; i++) {
        blocks[i] = calloc(1, (size_t)i * 100);
        CHECK(blocks[i] != NULL && all_bytes(blocks[i], (size_t)i * 100, 0));
    }
    for (int i = 0; i < 1000; i++)
        free(blocks[i]);
    fprintf(stderr, "%d blocks of 256 MiB\n", count);
}
