/* A little of everything that programs do with malloc, for order. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static void *batch(void *handed)
{
    void *blocks[100];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 100; i++)
            blocks[i] = malloc(i * 37 % 3000 + 1);
        for (int i = 0; i < 100; i++)
            free(blocks[i]);
    }
    free(handed);
    return malloc(100);
}

static void threads(void)
{
    pthread_t running[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&running[i], NULL, batch, malloc(1000));
    for (int i = 0; i < 4; i++) {
        void *handed;
        pthread_join(running[i], &handed);
        free(handed);
    }
}

static void growth(int steps, size_t bytes)
{
    void *block = NULL;
    for (int step = 1; step < steps; step++)
        block = realloc(block, step * bytes);
    free(block);
}

static void random_order(void)
{
    enum { COUNT = 2003 };
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(i * 7 % 2000 + 1);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i * 7 % COUNT]);
}

int main(void)
{
    free(batch(malloc(10)));
    threads();
    threads();
    growth(200, 50);
    growth(20, 30000);
    random_order();
    void *aligned = NULL;
    if (posix_memalign(&aligned, 64, 100) == 0)
        free(aligned);
    free(aligned_alloc(4096, 8192));
    free(calloc(100, 10));
    free(calloc(1, 100000));
    free(malloc(50000));
    free(malloc(3000000));
    return 0;
}
