/* Blocks that nobody frees. */
#include "misuse.h"

enum { LEAKED = 5 };

static void lose_blocks(void)
{
    for (int i = 0; i < LEAKED; i++)
        face_allocate(shape);
}

static const struct idea ideas[] = {
    { "blocks that are never freed", lose_blocks, FEW, BOTH, LEAK, "leaks" },
};
IDEAS(ideas)
