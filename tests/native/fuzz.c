/* fuzz SECONDS SEED THREADS: throws random arguments at every exported function, from several threads, and ends with 1 when an answer is not a documented one,
 * a live block has changed, or nothing moves any more. SEED 0 draws one. "fuzz list" prints the functions. What is called is decided by the seed, the
 * thread, and the blocks that it gets from others; fuzz/fuzz.h says how answers are checked. */
#include "fuzz/fuzz.h"

#include <time.h>

static const struct part *const parts[] = { &block_part, &heap_part, &information_part, &exchange_part, &contest_part, &moveable_part, &page_part, &rtl_part, &error_part, &system_part };
enum { PARTS = sizeof parts / sizeof *parts, ACTIONS = 400, MAX_THREADS = 32 };

struct heap shared_heaps[SHARED_HEAPS];
int thread_count, is_observed_contract, favorite_heap;
__thread struct actor *self;

static const struct action *actions[ACTIONS];
static long called[ACTIONS];
static int action_count;
static unsigned weight_sum;
static unsigned long long seed;
static struct actor *actors[MAX_THREADS];
static volatile int must_stop;

void fail(struct actor *actor, const char *file, int line, const char *fact)
{
    fprintf(stderr, "fuzz: %s: %s does not hold, last error %u (%s:%d). Seed %llu, thread %d of %d, step %ld.\n", actor->function, fact, GetLastError(),
        file, line, seed, actor->index, thread_count, actor->step);
    _exit(1);
}

int error_is_in(const DWORD *codes)
{
    for (DWORD code = GetLastError(); *codes != 0xFFFFFFFF; codes++)
        if (*codes == code)
            return 1;
    return 0;
}

uint64_t random_bits(struct actor *actor)
{
    uint64_t z = actor->random += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

/* A fault, or no end: says what each thread was calling. */
static void on_signal(int signal_number)
{
    static const char *const what[] = { "ends early", "crashed", "hangs" };
    int kind = signal_number == SIGALRM ? 2 : signal_number == SIGABRT ? 0 : 1;
    signal(signal_number, SIG_DFL);
    dprintf(STDERR_FILENO, "fuzz %s (signal %d). Seed %llu.\n", what[kind], signal_number, seed);
    for (int i = 0; i < thread_count; i++)
        if (actors[i] != NULL)
            dprintf(STDERR_FILENO, "  %sthread %d, step %ld: %s\n", actors[i] == self && kind != 2 ? "here: " : "", i, actors[i]->step, actors[i]->function);
    raise(signal_number);
    _exit(1);
}

static void collect_actions(void)
{
    for (int part = 0; part < PARTS; part++)
        for (int i = 0; i < parts[part]->count; i++) {
            actions[action_count++] = &parts[part]->actions[i];
            weight_sum += parts[part]->actions[i].weight;
        }
}

static int list(void)
{
    for (int i = 0; i < action_count; i++)
        puts(actions[i]->function);
    for (int i = 0; special_functions[i] != NULL; i++)
        puts(special_functions[i]);
    return 0;
}

static void step(struct actor *actor, int action)
{
    actor->function = actions[action]->function;
    actor->step++;
    actions[action]->run(actor);
    __atomic_fetch_add(&called[action], 1, __ATOMIC_RELAXED);
}

static int random_action(struct actor *actor)
{
    int drawn = (int)below(actor, weight_sum), action = 0;
    while ((drawn -= actions[action]->weight) >= 0)
        action++;
    return action;
}

static void *act(void *actor_)
{
    struct actor *actor = self = actor_;
    /* Once each, so that short runs call every function too. */
    for (int i = 0; i < action_count; i++)
        step(actor, i);
    while (!must_stop)
        step(actor, random_action(actor));
    actor->function = "what is left at the end";
    finish_handles(actor);
    finish_pages(actor);
    finish_blocks(actor);
    return NULL;
}

static void make_shared_heaps(void)
{
    shared_heaps[0].handle = GetProcessHeap();
    shared_heaps[1].handle = HeapCreate(0, 0, 0);
    shared_heaps[2].handle = HeapCreate(0, 0, 4 * MiB);
    shared_heaps[2].maximum = 4 * MiB;
}

static void watch_signals(int seconds)
{
    const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER };
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    alarm(seconds + 30);
}

static int is_all_sound(void)
{
    int sound = 1;
    for (int i = 0; i < SHARED_HEAPS; i++)
        if (!HeapValidate(shared_heaps[i].handle, 0, NULL)) {
            fprintf(stderr, "fuzz: the shared heap %d is not sound. Seed %llu.\n", i, seed);
            sound = 0;
        }
    return sound;
}

int main(int count, char **arguments)
{
    collect_actions();
    if (count == 2 && strcmp(arguments[1], "list") == 0)
        return list();
    if (count != 4 || (thread_count = atoi(arguments[3])) < 1 || thread_count > MAX_THREADS) {
        fprintf(stderr, "usage: fuzz SECONDS SEED THREADS (1 to %d), or fuzz list\n", MAX_THREADS);
        return 2;
    }
    int seconds = atoi(arguments[1]);
    seed = strtoull(arguments[2], NULL, 0);
    if (seed == 0)
        seed = (unsigned long long)time(NULL) * 1000003 + getpid();
    favorite_heap = (int)(seed % (SHARED_HEAPS + 1));
    printf("seed %llu\n", seed);
    fflush(stdout);
    watch_signals(seconds);
    run_special_functions();
    is_observed_contract = GetHeapContract() == HeapContractObserved;
    SetHeapRaiseHandler(on_raise, NULL);
    make_shared_heaps();

    pthread_t threads[MAX_THREADS];
    for (int i = 0; i < thread_count; i++) {
        actors[i] = calloc(1, sizeof *actors[i]);
        actors[i]->index = i;
        actors[i]->random = seed * 1000 + i;
        actors[i]->function = "nothing yet";
        memcpy(actors[i]->heaps, shared_heaps, sizeof shared_heaps);
    }
    for (int i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, act, actors[i]);
    struct timespec rest = { seconds, 0 };
    while (nanosleep(&rest, &rest) != 0)
        ;
    must_stop = 1;
    long steps = 0;
    for (int i = 0; i < thread_count; i++) {
        pthread_join(threads[i], NULL);
        steps += actors[i]->step;
    }
    finish_exchange(actors[0]);
    finish_contests();
    printf("%ld calls of %d functions\n", steps, action_count);
    return is_all_sound() ? 0 : 1;
}
