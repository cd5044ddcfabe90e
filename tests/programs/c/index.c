/* Counts the words of its input in a chained hash table that grows, sorts them and prints them; frees everything at the end. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    struct word *next;
    unsigned long count;
    size_t line_count, line_capacity;
    unsigned long *lines;
    char text[];
};

static struct word **table;
static size_t capacity, population;

static size_t hash(const char *text)
{
    size_t result = 14695981039346656037u;
    while (*text)
        result = (result ^ (unsigned char)*text++) * 1099511628211u;
    return result;
}

static void *checked(void *block)
{
    if (!block) {
        fputs("no memory\n", stderr);
        exit(2);
    }
    return block;
}

static void grow(void)
{
    size_t larger = capacity ? capacity * 2 : 16;
    struct word **fresh = checked(calloc(larger, sizeof *fresh));
    for (size_t slot = 0; slot < capacity; slot++)
        for (struct word *word = table[slot], *next; word; word = next) {
            next = word->next;
            size_t place = hash(word->text) & (larger - 1);
            word->next = fresh[place];
            fresh[place] = word;
        }
    free(table);
    table = fresh;
    capacity = larger;
}

static void add(const char *text, size_t length, unsigned long line)
{
    if (population * 2 >= capacity)
        grow();
    struct word **place = &table[hash(text) & (capacity - 1)];
    struct word *word = *place;
    while (word && strcmp(word->text, text) != 0)
        word = word->next;
    if (!word) {
        word = checked(calloc(1, sizeof *word + length + 1));
        memcpy(word->text, text, length + 1);
        word->next = *place;
        *place = word;
        population++;
    }
    word->count++;
    if (word->line_count == word->line_capacity) {
        word->line_capacity = word->line_capacity * 2 + 1;
        word->lines = checked(realloc(word->lines, word->line_capacity * sizeof *word->lines));
    }
    word->lines[word->line_count++] = line;
}

static int by_count(const void *left, const void *right)
{
    const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->text, b->text);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    for (unsigned long number = 1; getline(&line, &room, stdin) >= 0; number++)
        for (char *position = line; *position;) {
            char *start = position;
            while (isalnum((unsigned char)*position) || *position == '_')
                position++;
            size_t length = (size_t)(position - start);
            char after = *position;
            *position = '\0';
            if (length)
                add(start, length, number);
            *position = after;
            if (after)
                position++;
        }
    free(line);

    struct word **sorted = checked(malloc((population + 1) * sizeof *sorted));
    size_t count = 0;
    for (size_t slot = 0; slot < capacity; slot++)
        for (struct word *word = table[slot]; word; word = word->next)
            sorted[count++] = word;
    qsort(sorted, count, sizeof *sorted, by_count);
    for (size_t index = 0; index < count; index++) {
        printf("%lu %s %lu\n", sorted[index]->count, sorted[index]->text, sorted[index]->lines[sorted[index]->line_count - 1]);
        free(sorted[index]->lines);
        free(sorted[index]);
    }
    free(sorted);
    free(table);
    return 0;
}
