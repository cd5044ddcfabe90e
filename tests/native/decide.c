/* decide SECONDS SEED [THREADS [STEP]]: random calls of the heap functions and of malloc's, with right and wrong addresses of every kind, from several threads that
 * take turns. A model of all live blocks says the answer to each before it is made; the first that is answered otherwise ends the program with 1 and with the
 * calls before it. SEED 0 draws one. The same seed and number of threads make the same calls again; from STEP on each is printed. */
#include "decide/decide.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/personality.h>
#include <time.h>

enum { MAX_THREADS = 32, LAST_CALLS = 16 };

static unsigned long long seed;
static uint64_t random_state;
static long step, traced_from = -1;
static int thread_count, turn;
static unsigned weight_sum;
static struct timespec end;
static int must_end;

static struct last_call { const char *function; int heap, thread; const void *address; SIZE_T bytes; long step; } last_calls[LAST_CALLS];
static unsigned call_count;

uint64_t random_bits(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static void print_call(const struct last_call *call)
{
    int index = block_at(call->address);
    dprintf(STDERR_FILENO, "  step %ld, thread %d: %s, heap %d (%p, maximum %zu, options %u), %p, %zu bytes%s\n", call->step, call->thread, call->function, call->heap,
        call->heap < HEAPS ? heaps[call->heap].handle : NULL, call->heap < HEAPS ? (size_t)heaps[call->heap].maximum : 0,
        call->heap < HEAPS ? heaps[call->heap].options : 0, call->address, (size_t)call->bytes, index >= 0 ? "; a block is there now" : "");
}

void calling(const char *function, int heap, const void *address, SIZE_T bytes)
{
    struct last_call *call = &last_calls[call_count++ % LAST_CALLS];
    *call = (struct last_call){ function, heap, turn, address, bytes, step };
    if (traced_from >= 0 && step >= traced_from)
        print_call(call);
}

static void print_last_calls(void)
{
    for (unsigned i = call_count > LAST_CALLS ? call_count - LAST_CALLS : 0; i < call_count; i++)
        print_call(&last_calls[i % LAST_CALLS]);
    dprintf(STDERR_FILENO, "Again: decide 1000000 %llu %d %ld\n", seed, thread_count, step - 20);
}

void fail(const char *file, int line, const char *fact)
{
    dprintf(STDERR_FILENO, "decide: %s does not hold, last error %u (%s:%d). Seed %llu, %d threads, step %ld; the last calls:\n", fact, GetLastError(), file, line, seed,
        thread_count, step);
    print_last_calls();
    _exit(1);
}

static void on_signal(int signal_number)
{
    signal(signal_number, SIG_DFL);
    dprintf(STDERR_FILENO, "decide %s (signal %d). Seed %llu, %d threads, step %ld; the last calls:\n", signal_number == SIGALRM ? "hangs" : "ended early",
        signal_number, seed, thread_count, step);
    print_last_calls();
    raise(signal_number);
    _exit(1);
}

static void watch_signals(int seconds)
{
    const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    alarm((unsigned)seconds + 60);
}

static void take_steps(unsigned count)
{
    while (count-- > 0) {
        int drawn = (int)below(weight_sum), action = 0;
        while ((drawn -= (int)actions[action].weight) >= 0)
            action++;
        step++;
        actions[action].run();
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    must_end = now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
}

/* A worker takes steps when it is its turn, and ends when there are none. */
static struct worker { pthread_t thread; sem_t start, done; unsigned steps; } workers[MAX_THREADS];

static void *work(void *worker_)
{
    struct worker *worker = worker_;
    for (;;) {
        while (sem_wait(&worker->start) != 0)
            ;
        if (worker->steps == 0)
            return NULL;
        take_steps(worker->steps);
        sem_post(&worker->done);
    }
}

static void begin_worker(struct worker *worker)
{
    sem_init(&worker->start, 0, 0);
    sem_init(&worker->done, 0, 0);
    MUST(pthread_create(&worker->thread, NULL, work, worker) == 0);
    forget_dead_of_process();
}

static void end_worker(struct worker *worker)
{
    worker->steps = 0;
    sem_post(&worker->start);
    pthread_join(worker->thread, NULL);
    forget_dead_of_process();
}

/* The same addresses in every run, where the system lets a program ask for that. */
static void fix_addresses(char **arguments)
{
    int old = personality(0xFFFFFFFF);
    if (old != -1 && (old & ADDR_NO_RANDOMIZE) == 0 && personality((unsigned)old | ADDR_NO_RANDOMIZE) != -1)
        execv("/proc/self/exe", arguments);
}

int main(int count, char **arguments)
{
    if (count < 3 || count > 5 || (thread_count = count > 3 ? atoi(arguments[3]) : 4) < 1 || thread_count > MAX_THREADS) {
        fprintf(stderr, "usage: decide SECONDS SEED [THREADS (1 to %d) [STEP]]\n", MAX_THREADS);
        return 2;
    }
    fix_addresses(arguments);
    int seconds = atoi(arguments[1]);
    seed = strtoull(arguments[2], NULL, 0);
    if (seed == 0)
        seed = (unsigned long long)time(NULL) * 1000003 + (unsigned)getpid();
    if (count > 4)
        traced_from = atol(arguments[4]);
    printf("seed %llu\n", seed);
    fflush(stdout);
    random_state = seed * 1000003;
    for (int i = 0; i < action_count; i++)
        weight_sum += actions[i].weight;
    watch_signals(seconds);
    make_model();
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;

    for (int i = 0; i < thread_count; i++)
        begin_worker(&workers[i]);
    while (!must_end) {
        turn = (int)below((unsigned)thread_count);
        if (once_in(300)) {
            end_worker(&workers[turn]);
            begin_worker(&workers[turn]);
        }
        workers[turn].steps = 1 + below(once_in(10) ? 300 : 20);
        sem_post(&workers[turn].start);
        while (sem_wait(&workers[turn].done) != 0)
            ;
    }
    for (int i = 0; i < thread_count; i++)
        end_worker(&workers[i]);
    for (int i = 0; i < HEAPS; i++)
        if (heaps[i].handle != NULL)
            check_heap(i);
    printf("%ld steps, %u calls; of random addresses %ld were blocks of the heap and %ld were not\n", step, call_count, decided[1], decided[0]);
    return 0;
}
