// SPDX-License-Identifier: Apache-2.0
// A detector that keeps running: looks at file systems every few seconds and tells Tocsin when one fills up, and when
// it has room again. Nothing in its loop waits for the daemon; while that is restarted, events wait in the library.
//
//     disk_full PERCENT SECONDS MOUNT...         disk_full 90 10 / /srv
#define _GNU_SOURCE
#include <tocsin.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MOUNTS_MAX 64
static int was_full[MOUNTS_MAX]; // an event for each change, not for each look

// Called from tocsin_process() once it is known what became of an event or a beat.
static void told(void* what, const tocsin_result* result) {
    if (tocsin_result_code(result) != TOCSIN_OK) {
        fprintf(stderr, "disk_full: %s: %s\n", (const char*)what, tocsin_result_message(result));
    }
}

static void tell(tocsin_client* client, const char* mount, double used, int full) {
    tocsin_event* event = tocsin_event_new(full ? "disk.full" : "disk.has-room", "disk_full");
    tocsin_event_set_text(event, "severity", full ? "error" : "info");
    tocsin_event_add_text(event, "mount", mount); // members of the payload: anything that helps whoever reads it
    tocsin_event_add_real(event, "used_percent", used);
    // An hour: so long the library sends it again by itself where the daemon cannot be reached.
    if (tocsin_submit_async(client, event, 3600 * 1000, told, "event") != TOCSIN_OK) {
        fprintf(stderr, "disk_full: %s\n", tocsin_result_message(tocsin_last(client)));
    }
    tocsin_event_free(event);
}

static void look(tocsin_client* client, double limit, int mounts, char** mount) {
    for (int i = 0; i < mounts && i < MOUNTS_MAX; ++i) {
        struct statvfs fs;
        if (statvfs(mount[i], &fs) != 0) {
            perror(mount[i]);
            continue;
        }
        if (fs.f_blocks == 0) {
            continue; // /proc and the like hold nothing
        }
        const double used = 100.0 - 100.0 * (double)fs.f_bavail / (double)fs.f_blocks;
        const int full = used >= limit;
        if (full != was_full[i]) {
            was_full[i] = full;
            tell(client, mount[i], used, full);
        }
    }
}

// A sign of life: when none comes for three looks, Tocsin itself tells that this detector is gone.
static void beat(tocsin_client* client, int seconds) {
    tocsin_beat_options options = TOCSIN_BEAT_OPTIONS_INIT;
    options.interval_us = 3 * (int64_t)seconds * 1000000;
    tocsin_beat_async(client, "disk_full", &options, seconds * 1000, told, "beat");
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char** argv) {
    const double limit = argc > 3 ? strtod(argv[1], NULL) : 0;
    const int seconds = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    tocsin_client* client = NULL;
    sigset_t stop;
    if (limit <= 0 || seconds <= 0) {
        fprintf(stderr, "usage: disk_full PERCENT SECONDS MOUNT...\n");
        return 2;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    const int signals = signalfd(-1, &stop, SFD_CLOEXEC);
    const int opened = tocsin_open(&client, NULL); // TOCSIN_SOCKET, or the daemon of this machine
    if (signals < 0 || opened != TOCSIN_OK) {
        fprintf(stderr, "disk_full: %s\n", tocsin_code_name(opened));
        return 1;
    }
    struct pollfd ready[] = {{tocsin_fd(client), POLLIN, 0}, {signals, POLLIN, 0}};
    int64_t next = now_ms();
    while (ready[1].revents == 0) {
        if (now_ms() >= next) {
            look(client, limit, argc - 3, argv + 3);
            beat(client, seconds);
            next = now_ms() + (int64_t)seconds * 1000;
        }
        const int64_t left = next - now_ms();
        poll(ready, 2, left > 0 ? (int)left : 0);
        tocsin_process(client);
    }
    tocsin_wait(client, 5000); // what is under way may still end well
    tocsin_close(client);
    close(signals);
    return 0;
}
