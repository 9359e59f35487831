// SPDX-License-Identifier: Apache-2.0
// Processes that mind their own business, each the head of a session of its own, in a namespace of processes where
// numbers are used again at once. Runs until standard input ends, then says what became of them as JSON.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALIVE = 20, LIFE_MS = 20, FIRST = 100, LAST = 300 };

static unsigned long begun, signalled;

static int is_enough(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, 0) != 0;
}

// The kernel counts on from here.
static void set_last_pid(int pid) {
    FILE* file = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (file == NULL || fprintf(file, "%d", pid) < 0 || fclose(file) != 0) {
        perror("ns_last_pid");
        exit(1);
    }
}

static pid_t begin(void) {
    const pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        setsid();
        poll(NULL, 0, getpid() % LIFE_MS);
        _exit(0);
    }
    ++begun;
    return pid;
}

static void reap(void) {
    int status = 0;
    if (wait(&status) > 0 && WIFSIGNALED(status)) {
        ++signalled;
    }
}

int main(void) {
    int alive = 0;
    pid_t last = LAST;
    while (!is_enough()) {
        if (last >= LAST) {
            set_last_pid(FIRST);
        }
        last = begin();
        if (++alive >= ALIVE) {
            reap();
            --alive;
        }
    }
    for (; alive > 0; --alive) {
        reap();
    }
    printf("{\"rounds\": %lu, \"signalled\": %lu}\n", begun / (LAST - FIRST), signalled);
    return 0;
}
