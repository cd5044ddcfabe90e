/* Lists the misuses, with what is right to come of each, or commits one. */
#include "misuse.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 20, NAME_BYTES = 200 };

static struct {
    const struct idea *ideas;
    size_t count;
} tables[MOST_TABLES];
static size_t table_count;

void add_ideas(const struct idea *ideas, size_t count)
{
    if (table_count == MOST_TABLES)
        abort();
    tables[table_count].ideas = ideas;
    tables[table_count++].count = count;
}

static const char *who(enum thread thread) { return thread == OTHER ? ", by another thread" : ""; }

static void name_of(char *name, const struct idea *idea, int place, enum thread thread)
{
    snprintf(name, NAME_BYTES, "%s%s%s%s", idea->name, idea->shapes == ONLY ? "" : ", ", idea->shapes == ONLY ? "" : shapes[place].name, who(thread));
}

/* Whether the program was the wanted one, and so has run. */
static int list_or_run(const struct idea *idea, int place, enum thread thread, const char *wanted)
{
    char name[NAME_BYTES];
    name_of(name, idea, place, thread);
    if (wanted == NULL) {
        printf("%s\t%s%s\t%s\t%s\t%s\t%s\t%s\n", name, idea->name, who(thread), idea->shapes == ONLY ? "" : shapes[place].name, idea->plainly, idea->filled,
            idea->paged, idea->also != NULL ? idea->also : "");
    } else if (strcmp(name, wanted) == 0) {
        set_scene(&shapes[place], thread);
        idea->commit();
        aftermath();
        return 1;
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fputs("misuse list\nmisuse NAME\n", stderr);
        return 2;
    }
    const char *wanted = strcmp(arguments[1], "list") == 0 ? NULL : arguments[1];
    for (size_t table = 0; table < table_count; table++) {
        for (const struct idea *idea = tables[table].ideas; idea < tables[table].ideas + tables[table].count; idea++) {
            unsigned places = idea->shapes == ONLY ? SMALL : idea->shapes;
            for (enum thread thread = SAME; thread <= OTHER; thread++)
                for (int place = 0; place < SHAPE_COUNT; place++)
                    if (places >> place & 1 && (idea->thread == thread || idea->thread == BOTH) && list_or_run(idea, place, thread, wanted))
                        return 0;
        }
    }
    if (wanted != NULL)
        fprintf(stderr, "misuse: there is no '%s'\n", wanted);
    return wanted != NULL;
}
