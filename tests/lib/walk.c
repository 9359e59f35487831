// SPDX-License-Identifier: Apache-2.0
// A detector in plain C99 that walks through the whole library, for what a test in another language cannot see:
// warnings, memory (under sanitizers or valgrind), and that no signal comes. usage: walk SOCKET. It says each step on
// standard output and waits for a line where the daemon is to be stopped or started meanwhile.
#include <tocsin.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(int is, int wanted, const char* what, const tocsin_client* client) {
    if (is != wanted) {
        const char* message = tocsin_result_message(tocsin_last(client));
        fprintf(stderr, "%s: %s, not %s: %s\n", what, tocsin_code_name(is), tocsin_code_name(wanted), message);
        ++failures;
    }
}

static void say_and_wait(const char* step) {
    char line[16];
    printf("%s\n", step);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        exit(3);
    }
}

static tocsin_event* make_event(int number) {
    tocsin_event* event = tocsin_event_new("walk", "walk.c");
    tocsin_event_set_text(event, "severity", "warning");
    tocsin_event_set_int(event, "scid", number);
    tocsin_event_add_text(event, "text", "a \"quoted\" one");
    tocsin_event_add_int(event, "n", number);
    tocsin_event_add_real(event, "share", 0.25);
    tocsin_event_add_bool(event, "good", 1);
    return event;
}

static void count_good(void* user, const tocsin_result* result) {
    if (tocsin_result_code(result) == TOCSIN_OK) {
        ++*(int*)user;
    }
}

static void walk_sync(tocsin_client* client) {
    tocsin_event* event = make_event(1);
    const tocsin_event* both[2];
    uint64_t index = 0;
    uint64_t indexes[2] = {0, 0};
    tocsin_beat_options options = TOCSIN_BEAT_OPTIONS_INIT;
    expect(tocsin_submit(client, event, 0, &index), TOCSIN_OK, "submit", client);
    both[0] = both[1] = event;
    expect(tocsin_submit_batch(client, both, 2, 0, indexes), TOCSIN_OK, "batch", client);
    expect(indexes[0] > index && indexes[1] > indexes[0] ? 0 : 1, 0, "indexes", client);
    options.interval_us = 3600 * (int64_t)1000000;
    options.status = "walking";
    expect(tocsin_beat(client, "walk.c", &options, 0), TOCSIN_OK, "beat", client);
    tocsin_event_set_text(event, "severity", "hihg");
    expect(tocsin_submit(client, event, 0, NULL), TOCSIN_INVALID_EVENT, "wrong field", client);
    expect(strcmp(tocsin_result_field(tocsin_last(client)), "severity"), 0, "its name", client);
    tocsin_event_set_text(event, "summary", "\xff");
    expect(tocsin_submit(client, event, 0, NULL), TOCSIN_INVALID_EVENT, "no UTF-8", client);
    tocsin_event_free(event);
}

static void walk_async(tocsin_client* client) {
    int good = 0;
    int started = 0;
    int turns;
    while (started < TOCSIN_IN_FLIGHT_MAX) {
        tocsin_event* event = make_event(started++);
        expect(tocsin_submit_async(client, event, 0, count_good, &good), TOCSIN_OK, "start", client);
        tocsin_event_free(event);
    }
    expect(tocsin_beat_async(client, "walk.c", NULL, 0, count_good, &good), TOCSIN_AGAIN, "one too many", client);
    for (turns = 0; turns < 50 && tocsin_in_flight(client) > 50; ++turns) {
        struct pollfd ready = {tocsin_fd(client), POLLIN, 0};
        poll(&ready, 1, 10000);
        tocsin_process(client);
    }
    expect(tocsin_wait(client, 0), TOCSIN_OK, "wait", client);
    expect(good, started, "answers", client);
}

int main(int argc, char** argv) {
    tocsin_client* client = NULL;
    tocsin_event* event = make_event(7);
    if (argc != 2 || tocsin_open(&client, argv[1]) != TOCSIN_OK) {
        return 2;
    }
    walk_sync(client);
    walk_async(client);
    say_and_wait("kill"); // its connections are dead when it goes on: writing to one would raise SIGPIPE
    expect(tocsin_submit(client, event, 300, NULL), TOCSIN_UNAVAILABLE, "nobody there", client);
    tocsin_submit_async(client, event, 60000, NULL, NULL);
    say_and_wait("start");
    expect(tocsin_submit(client, event, 60000, NULL), TOCSIN_OK, "there again", client);
    expect(tocsin_wait(client, 0), TOCSIN_OK, "the other one", client);
    tocsin_submit_async(client, event, 60000, NULL, NULL);
    tocsin_close(client);
    tocsin_event_free(event);
    printf("done\n");
    return failures == 0 ? 0 : 1;
}
