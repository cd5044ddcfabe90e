/* What the C library allocates by itself is ours too: its blocks go through our free, and it frees ours. */
#include "contract.h"
#include <dirent.h>
#include <glob.h>
#include <iconv.h>
#include <limits.h>
#include <netdb.h>
#include <regex.h>
#include <search.h>
#include <stdarg.h>
#include <wchar.h>
#include <wordexp.h>

static char *print_to_block(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    CHECK(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return text;
}

TEST("strings that the C library allocates are blocks of their length")
{
    size_t before = in_use();
    char *copy = strdup("a copy"), *part = strndup("a part", 3), *text = NULL, *more = print_to_block("%0*d", 5000, 7);
    wchar_t *wide = wcsdup(L"wide");
    CHECK_EQUAL(11, asprintf(&text, "%d and %s", 42, "more"));
    CHECK(strcmp(copy, "a copy") == 0 && strcmp(part, "a p") == 0 && strcmp(text, "42 and more") == 0 && wcscmp(wide, L"wide") == 0);
    CHECK_EQUAL(7, malloc_usable_size(copy));
    CHECK_EQUAL(4, malloc_usable_size(part));
    CHECK(malloc_usable_size(more) >= 5001);
    copy = realloc(copy, 1000);
    CHECK(strcmp(copy, "a copy") == 0);
    free(copy);
    free(part);
    free(text);
    free(more);
    free(wide);
    CHECK_EQUAL(before, in_use());
}

TEST("getline and getdelim grow a block of ours")
{
    size_t before = in_use();
    FILE *file = tmpfile();
    for (int i = 0; i < 30; i++)
        fprintf(file, "%0*d\n", i * i * 10 + 1, i);
    rewind(file);
    char *line = malloc(1);
    size_t capacity = 1;
    for (int i = 0; i < 30; i++) {
        CHECK_EQUAL(i * i * 10 + 2, getline(&line, &capacity, file));
        CHECK_EQUAL(i, atoi(line));
        CHECK(malloc_usable_size(line) >= capacity);
    }
    CHECK_EQUAL(-1, getline(&line, &capacity, file));
    free(line);
    line = NULL;
    capacity = 0;
    rewind(file);
    CHECK(getdelim(&line, &capacity, '4', file) > 0 && line[strlen(line) - 1] == '4');
    free(line);
    fclose(file);
    CHECK_EQUAL(before, in_use());
}

TEST("streams take their buffers from us and give them back")
{
    size_t before = in_use();
    for (int i = 0; i < 50; i++) {
        FILE *file = fopen("/proc/self/status", "r"), *pipe = i == 0 ? popen("echo from a child", "r") : NULL, *sink = fmemopen(NULL, 5000, "w+");
        char word[40] = "";
        CHECK(file != NULL && fscanf(file, "%39s", word) == 1 && strcmp(word, "Name:") == 0);
        CHECK(sink != NULL && fputs("words", sink) >= 0);
        CHECK(pipe == NULL || (fscanf(pipe, "%39s", word) == 1 && strcmp(word, "from") == 0 && pclose(pipe) == 0));
        fclose(file);
        fclose(sink);
    }
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    for (int i = 0; i < 100000; i++)
        fputc('a' + i % 26, stream);
    fclose(stream);
    CHECK(length == 100000 && text[length - 1] == 'a' + 99999 % 26 && text[length] == 0);
    free(text);
    CHECK_EQUAL(before, in_use());
}

static int compare_records(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }

TEST("qsort takes room for large arrays from us")
{
    enum { COUNT = 50000, WORDS = 5 };
    int (*records)[WORDS] = calloc(COUNT, sizeof *records);
    unsigned long long random = 3;
    size_t before = in_use();
    for (int i = 0; i < COUNT; i++)
        records[i][0] = (int)(next_random(&random) >> 1);
    qsort(records, COUNT, sizeof *records, compare_records);
    for (int i = 1; i < COUNT; i++)
        CHECK(records[i - 1][0] <= records[i][0]);
    CHECK_EQUAL(before, in_use());
    free(records);
}

static void compare_paths(void)
{
    char *here = getcwd(NULL, 0), *same = realpath(".", NULL), *name = get_current_dir_name();
    CHECK(here != NULL && same != NULL && name != NULL && strcmp(here, same) == 0);
    free(here);
    free(same);
    free(name);
}

static void list_root(void)
{
    struct dirent **names = NULL;
    int count = scandir("/", &names, NULL, alphasort);
    CHECK(count > 3);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    DIR *root = opendir("/");
    CHECK(root != NULL && readdir(root) != NULL);
    closedir(root);
    glob_t found;
    CHECK_EQUAL(0, glob("/*", GLOB_MARK, NULL, &found));
    CHECK(found.gl_pathc > 3);
    globfree(&found);
}

static void match_words(void)
{
    regex_t expression;
    CHECK_EQUAL(0, regcomp(&expression, "^(a|b)+c{2,5}[[:digit:]]*$", REG_EXTENDED));
    CHECK(regexec(&expression, "abbacc123", 0, NULL, 0) == 0 && regexec(&expression, "abc", 0, NULL, 0) != 0);
    regfree(&expression);
    wordexp_t words;
    CHECK_EQUAL(0, wordexp("one 'two three' four", &words, WRDE_NOCMD));
    CHECK(words.we_wordc == 3 && strcmp(words.we_wordv[1], "two three") == 0);
    wordfree(&words);
}

static void build_trees(void)
{
    void *root = NULL;
    for (int i = 0; i < 1000; i++) {
        int *key = malloc(sizeof *key);
        *key = i * 7919 % 1000;
        CHECK(tsearch(key, &root, compare_records) != NULL);
    }
    tdestroy(root, free);
    CHECK(hcreate(100) != 0 && hsearch((ENTRY){ .key = (char *)"key" }, ENTER) != NULL);
    hdestroy();
}

static void resolve_address(void)
{
    struct addrinfo *list = NULL, hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    CHECK_EQUAL(0, getaddrinfo("127.0.0.1", "80", &hints, &list));
    CHECK(list != NULL);
    freeaddrinfo(list);
}

static void convert_text(void)
{
    iconv_t conversion = iconv_open("UTF-8", "LATIN1");
    char from[] = { 'a', (char)0xE4 }, to[8], *source = from, *target = to;
    size_t left = sizeof from, room = sizeof to;
    CHECK(conversion != (iconv_t)-1 && iconv(conversion, &source, &left, &target, &room) == 0 && target - to == 3);
    iconv_close(conversion);
}

TEST("whatever else of the C library allocates gives everything back")
{
    static void (*const uses[])(void) = { compare_paths, list_root, match_words, build_trees, resolve_address, convert_text };
    for (unsigned i = 0; i < sizeof uses / sizeof *uses; i++) {
        /* What a first call keeps for the next ones is not missed. */
        uses[i]();
        size_t before = in_use();
        uses[i]();
        CHECK_EQUAL(before, in_use());
    }
}
