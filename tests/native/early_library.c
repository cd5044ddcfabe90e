/* A library whose constructor and destructor allocate, at the first and the last moment that they can. */
#include <stdlib.h>
#include <string.h>

char *block_of_library;

__attribute__((constructor(101))) static void starts(void)
{
    block_of_library = malloc(300);
    memset(block_of_library, 'l', 300);
}

__attribute__((destructor(101))) static void ends(void)
{
    char *block = malloc(5000);
    memset(block, 'e', 5000);
    free(block);
}
