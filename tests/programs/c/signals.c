/* Prints "ready", then a line for each signal that arrives and for each line of its input. Ends with 42 at the end of its input or on SIGTERM. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    const int caught[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGALRM, SIGCONT, SIGWINCH, SIGPIPE, SIGURG, SIGIO };
    for (unsigned index = 0; index < sizeof caught / sizeof *caught; index++)
        sigaddset(&set, caught[index]);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 5);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct pollfd sources[] = { { .fd = signalfd(-1, &set, 0), .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready\n");
    for (;;) {
        if (poll(sources, 2, -1) < 0 && errno != EINTR)
            return 1;
        struct signalfd_siginfo news;
        if (sources[0].revents & POLLIN && read(sources[0].fd, &news, sizeof news) == sizeof news) {
            printf("signal %u value %d\n", news.ssi_signo, news.ssi_int);
            if (news.ssi_signo == SIGTERM)
                return 42;
        }
        if (sources[1].revents & (POLLIN | POLLHUP)) {
            char line[200];
            ssize_t length = read(STDIN_FILENO, line, sizeof line);
            if (length <= 0)
                return 42;
            printf("input %.*s", (int)length, line);
        }
    }
}
