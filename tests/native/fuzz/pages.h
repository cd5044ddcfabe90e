/* What an actor knows of the pages that it reserved. */
#ifndef PAGES_H
#define PAGES_H

#include "fuzz.h"

enum { RESERVATIONS = 8, MOST_PAGES = 24 };

struct reservation {
    char *base;
    int pages, is_window;
    DWORD protection;               /* as it was reserved */
    DWORD protections[MOST_PAGES];  /* 0: only reserved */
    unsigned char fills[MOST_PAGES]; /* what each byte of a committed page is */
};

struct pages_model {
    struct reservation reservations[RESERVATIONS];
    int count;
};

void finish_frames(struct actor *actor);

#endif
