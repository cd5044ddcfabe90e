/* The tests of one program: TEST("a sentence") { CHECK(fact); ... }. "PROGRAM list" prints the sentences, "PROGRAM SENTENCE" runs one,
 * "PROGRAM" alone runs all. Every failed check prints its place; the exit code says whether any did. */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct { const char *sentence; void (*run)(void); } tests[200];
static int test_count, check_failures;

#define TEST(sentence) TEST_NUMBERED(sentence, __COUNTER__)
#define TEST_NUMBERED(sentence, number) TEST_NAMED(sentence, number)
#define TEST_NAMED(sentence_, number) \
    static void test_##number(void); \
    __attribute__((constructor)) static void add_##number(void) \
    { \
        tests[test_count].sentence = sentence_; \
        tests[test_count++].run = test_##number; \
    } \
    static void test_##number(void)

#define CHECK(fact) \
    do { \
        if (!(fact)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #fact); \
            __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

#define CHECK_EQUAL(expected, actual) \
    do { \
        long long expected_ = (long long)(expected), actual_ = (long long)(actual); \
        if (expected_ != actual_) { \
            fprintf(stderr, "%s:%d: %s is %lld (0x%llX), not %s\n", __FILE__, __LINE__, #actual, actual_, \
                (unsigned long long)actual_, #expected); \
            __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

/* Whether all bytes from block on have the value. */
static inline int all_bytes(const void *block, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++)
        if (((const unsigned char *)block)[i] != value)
            return 0;
    return 1;
}

/* Runs a function in a forked child; returns the child's wait status and what it wrote to standard error. */
static inline int run_in_child(void (*function)(void), char *errors, size_t capacity)
{
    int ends[2];
    if (pipe(ends) != 0)
        abort();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        function();
        fflush(NULL);
        _exit(check_failures != 0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while (length + 1 < capacity && (count = read(ends[0], errors + length, capacity - 1 - length)) > 0)
        length += count;
    errors[length] = 0;
    close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

int main(int count, char **arguments)
{
    int found = 0;
    for (int i = 0; i < test_count; i++) {
        if (count == 2 && strcmp(arguments[1], "list") == 0) {
            puts(tests[i].sentence);
            found = 1;
        } else if (count < 2 || strcmp(arguments[1], tests[i].sentence) == 0) {
            tests[i].run();
            found = 1;
        }
    }
    if (!found)
        fprintf(stderr, "%s has no such test\n", arguments[0]);
    return check_failures != 0 || !found;
}

#endif
