// SPDX-License-Identifier: Apache-2.0
// libtocsin hands the events and heartbeats of a program to the Tocsin daemon of its machine, and says when they are
// kept.
//
// A detector makes an event, submits it, and gets its index once the event is safe on disk:
//
//     tocsin_client *client;
//     if (tocsin_open(&client, NULL) != TOCSIN_OK)
//         return 1;
//     tocsin_event *event = tocsin_event_new("disk.full", "df-watch");
//     tocsin_event_set_text(event, "severity", "error");
//     tocsin_event_add_text(event, "mount", "/srv");
//     tocsin_event_add_int(event, "free_bytes", 4096);
//     int code = tocsin_submit(client, event, 5000, NULL);
//     if (code != TOCSIN_OK)
//         fprintf(stderr, "%s\n", tocsin_result_message(tocsin_last(client)));
//     tocsin_event_free(event);
//     tocsin_close(client);
//
// Compile with `cc detector.c $(pkg-config --cflags --libs libtocsin)`.
//
// An event is kept once. Each one without an idempotency key gets a random one when it is queued, and the time of that
// moment where it has no event_time. So a call that gets no answer, because the daemon is restarted or killed, is sent
// again by itself after reconnecting, until its deadline, and the daemon recognises what it has kept already.
//
// Every wait has a deadline, nothing throws or ends the process, no signal handler is installed, SIGPIPE is never
// raised, and no thread is started. All text is UTF-8 that ends with a zero byte. The library copies what it is given.
//
// Threads: there is no state outside of the objects. An object may be used by one thread at a time; different clients
// by different threads at the same time. Give each thread a client of its own.
//
// Fork: a client belongs to the process that opened it. In a child each call answers TOCSIN_FORKED, and tocsin_close()
// gives back the child's copies without a word to the daemon; open another client there. Descriptors are closed on
// exec.
#ifndef TOCSIN_H
#define TOCSIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Errors ----

// What a call answers: TOCSIN_OK or one of these, all negative. The first eight are the daemon's own, with the meaning
// they have on all its faces; their value is that of tocsinctl's exit code, with a minus. After each failure
// tocsin_result_message() says in words what is wrong and what to do. Later versions may add codes.
enum tocsin_code {
    TOCSIN_OK = 0,
    TOCSIN_INVALID_EVENT = -1, // a field is wrong; tocsin_result_field() names it. Not kept, nor anything of its batch
    TOCSIN_INVALID_ARGUMENT = -2, // an argument, an option of a beat, or JSON that cannot be read
    TOCSIN_NOT_FOUND = -3,
    TOCSIN_NOT_AUTHORIZED = -4, // this user may not connect, or not do this: be in the group of the daemon
    TOCSIN_UNAVAILABLE = -5,    // surely not kept: no daemon till the deadline, or it is stopping or overloaded
    TOCSIN_LIMIT_EXCEEDED = -6, // too large, or too much for now; see tocsin_result_retry_after_ms()
    TOCSIN_STORAGE_FULL = -7,   // the daemon's disk or store is full; not kept
    TOCSIN_CONFLICT = -8,       // the idempotency key belongs to another event
    TOCSIN_TIMEOUT = -20,       // sent, but not answered till the deadline: kept or not, nobody knows
    TOCSIN_AGAIN = -21,         // too many calls are in flight; none was added. Wait or process first
    TOCSIN_NO_MEMORY = -22,     // or no descriptors
    TOCSIN_FORKED = -23,        // the client belongs to the parent process
    TOCSIN_CANCELLED = -24,     // tocsin_close() came first: kept or not, nobody knows
    TOCSIN_PROTOCOL = -25       // what answers on the socket is no daemon that this library understands
};

// Bounds. In flight is what has been started and whose callback was not called yet.
#define TOCSIN_IN_FLIGHT_MAX 100
#define TOCSIN_IN_FLIGHT_BYTES_MAX 67108864 // 64 MiB
#define TOCSIN_BATCH_EVENTS_MAX 10000
#define TOCSIN_BATCH_BYTES_MAX 16777216 // 16 MiB
#define TOCSIN_TIMEOUT_MS_DEFAULT 30000

// The name of a code, "InvalidEvent"; never NULL. For logs: people want the message.
const char* tocsin_code_name(int code);

// The version of the library that is running, "0.1.0".
const char* tocsin_version(void);

// ---- Clients ----

// A client of one daemon.
typedef struct tocsin_client tocsin_client;

// Makes a client and does not connect yet: that the daemon is not there is found, and waited for, by the calls. Without
// a socket path (NULL) it is, as for tocsinctl, that of the environment variable TOCSIN_SOCKET, or else the daemon of
// the session in $XDG_RUNTIME_DIR where one is running (not for root), or else /run/tocsin/tocsin.sock. Gives it back
// with tocsin_close(). TOCSIN_INVALID_ARGUMENT: the path is too long for a socket; TOCSIN_NO_MEMORY.
int tocsin_open(tocsin_client** client, const char* socket_path);

// Ends the client. Calls that are in flight get TOCSIN_CANCELLED in their callbacks; tocsin_wait() first lets them end
// well. NULL does nothing. Called from a callback it takes effect when the callbacks have returned.
void tocsin_close(tocsin_client* client);

// ---- Events ----

// An event that is being made. Its fields are those of the daemon, which checks them; see tocsinctl(1) and the HTTP
// document. It may be submitted any number of times, each time as a new event, and changed in between.
typedef struct tocsin_event tocsin_event;

// event_name says what happened ("disk.full"), event_src who saw it ("df-watch"). NULL: no memory. Every function that
// takes an event takes NULL and answers TOCSIN_NO_MEMORY, so that this need not be looked at.
tocsin_event* tocsin_event_new(const char* event_name, const char* event_src);

void tocsin_event_free(tocsin_event* event);

// Sets a field to a text: severity (info, warning, error, critical), summary, description, environment, event_rule,
// spark_script, gem_full_path, event_type, event_id, idempotency_key. Set again, the last one counts. What cannot be
// right in any field (no UTF-8) is answered at once and remembered: submitting such an event is TOCSIN_INVALID_EVENT.
// So the answers of these functions need not be looked at either.
int tocsin_event_set_text(tocsin_event* event, const char* field, const char* value);

// Sets a field to a number: scid, event_rule_id, count.
int tocsin_event_set_int(tocsin_event* event, const char* field, int64_t value);

// When it happened, in microseconds since 1970 UTC. Default: when it is queued.
int tocsin_event_set_time(tocsin_event* event, int64_t microseconds);

// The payload, as the text of a JSON object. It replaces what was added before.
int tocsin_event_set_payload(tocsin_event* event, const char* json_object);

// Adds a member to the payload; no need to write JSON by hand. Numbers must be finite.
int tocsin_event_add_text(tocsin_event* event, const char* key, const char* value);
int tocsin_event_add_int(tocsin_event* event, const char* key, int64_t value);
int tocsin_event_add_real(tocsin_event* event, const char* key, double value);
int tocsin_event_add_bool(tocsin_event* event, const char* key, int value);

// Gives the event a new random idempotency key and the present time. Then submitting the same object again, after
// TOCSIN_TIMEOUT or TOCSIN_CANCELLED, keeps it once however often that happens. Without it each submit is a new event.
int tocsin_event_renew_key(tocsin_event* event);

// ---- Results ----

// What became of a call. It belongs to the library: in a callback it is there till the callback returns, from
// tocsin_last() till the next call of the same client. NULL reads as a result without memory.
typedef struct tocsin_result tocsin_result;

// What became of the latest call on this client that was synchronous or could not be started. Never NULL for a client.
const tocsin_result* tocsin_last(const tocsin_client* client);

int tocsin_result_code(const tocsin_result* result);

// In words for people, never NULL; empty when all went well. "severity: "hihg" is not one of info, warning, ..."
const char* tocsin_result_message(const tocsin_result* result);

// The first field that is wrong, or "".
const char* tocsin_result_field(const tocsin_result* result);

// The unique_index of each event, in the order they were given; 0 beyond the count.
size_t tocsin_result_count(const tocsin_result* result);
uint64_t tocsin_result_index(const tocsin_result* result, size_t i);

// 1 where one submitted event was kept before, by its idempotency key; 0 otherwise, and for batches.
int tocsin_result_duplicate(const tocsin_result* result);

// How long the daemon asks to wait before trying again, in milliseconds; -1 where it says nothing.
int tocsin_result_retry_after_ms(const tocsin_result* result);

// Everything that is wrong: which event of a batch (from 0), which field of it, and why. "" beyond the count.
size_t tocsin_result_errors(const tocsin_result* result);
size_t tocsin_result_error_event(const tocsin_result* result, size_t i);
const char* tocsin_result_error_field(const tocsin_result* result, size_t i);
const char* tocsin_result_error_reason(const tocsin_result* result, size_t i);

// ---- Synchronous calls ----

// Each waits for its answer, at most timeout_ms milliseconds (0: TOCSIN_TIMEOUT_MS_DEFAULT), and while there is no
// daemon it waits for one. TOCSIN_OK: kept, safe on disk. An answer that the daemon is stopping or overloaded is waited
// out as well where the time allows. Callbacks of asynchronous calls may be called meanwhile. Not to be called from a
// callback.

// Submits one event. unique_index may be NULL.
int tocsin_submit(tocsin_client* client, const tocsin_event* event, int timeout_ms, uint64_t* unique_index);

// Submits events as one: all are kept, or none. unique_indexes may be NULL, or has room for count.
int tocsin_submit_batch(tocsin_client* client, const tocsin_event* const* events, size_t count, int timeout_ms,
                        uint64_t* unique_indexes);

// Options of a beat. Begin with TOCSIN_BEAT_OPTIONS_INIT and set what is wanted; later versions may add members at the
// end. An interval or a schedule makes the daemon watch the source from now on: an event heartbeat.missed follows when
// no beat came for interval_us + grace_us.
typedef struct tocsin_beat_options {
    size_t size;          // of this struct, set by TOCSIN_BEAT_OPTIONS_INIT
    int64_t scid;         // the subject, one watch each
    int64_t interval_us;  // beats come at least this often, in microseconds; 0: not said
    int64_t grace_us;     // may be late by this, in microseconds; 0: not said
    const char* schedule; // instead of an interval: a cron expression or a systemd calendar; NULL: not said
    const char* zone;     // of the schedule, "Europe/Berlin"; NULL: not said
    const char* state;    // "ok" (also NULL), "start" and "finish" of a run, "fail", "alive"
    const char* run;      // which run, where several may be under way; NULL: not said
    const char* status;   // a line for people; NULL: not said
} tocsin_beat_options;

#define TOCSIN_BEAT_OPTIONS_INIT {sizeof(tocsin_beat_options), 0, 0, 0, NULL, NULL, NULL, NULL, NULL}

// Sends a sign of life of a source. options may be NULL. A beat without an answer is sent again too; it has no key, so
// one with the state "fail" may be counted twice where the daemon was killed in between.
int tocsin_beat(tocsin_client* client, const char* source, const tocsin_beat_options* options, int timeout_ms);

// ---- Asynchronous calls ----

// Start a call and return at once; the callback says what became of it. At most TOCSIN_IN_FLIGHT_MAX calls and
// TOCSIN_IN_FLIGHT_BYTES_MAX bytes of them are in flight; beyond that the answer is TOCSIN_AGAIN and nothing is kept or
// dropped in silence. With any answer but TOCSIN_OK the callback is never called. Calls are sent in the order they were
// started, over a few connections, so that the daemon may keep them in another order.
//
//     for (;;) {
//         struct pollfd ready[] = {{tocsin_fd(client), POLLIN, 0}, {my_own_fd, POLLIN, 0}};
//         poll(ready, 2, -1);
//         tocsin_process(client);
//         ...
//     }

// Called once for each started call, from tocsin_process(), tocsin_wait(), tocsin_close() or a synchronous call. It may
// start asynchronous calls. It must not throw.
typedef void (*tocsin_done)(void* user, const tocsin_result* result);

// done may be NULL where nobody wants to know.
int tocsin_submit_async(tocsin_client* client, const tocsin_event* event, int timeout_ms, tocsin_done done, void* user);
int tocsin_submit_batch_async(tocsin_client* client, const tocsin_event* const* events, size_t count, int timeout_ms,
                              tocsin_done done, void* user);
int tocsin_beat_async(tocsin_client* client, const char* source, const tocsin_beat_options* options, int timeout_ms,
                      tocsin_done done, void* user);

// A descriptor that is readable (POLLIN) when tocsin_process() has something to do: an answer, a deadline, a new try.
// It stays the same, and is the client's: only poll it. Negative: an error.
int tocsin_fd(const tocsin_client* client);

// Does what can be done without waiting: sends, receives, reconnects, ends what is too late, calls callbacks. The
// number of calls that have ended, or an error. Calling it for nothing is harmless; not from a callback.
int tocsin_process(tocsin_client* client);

// Processes till nothing is in flight, at most timeout_ms milliseconds: TOCSIN_OK, or TOCSIN_TIMEOUT where something
// still is. Good before the end of a program; not from a callback.
int tocsin_wait(tocsin_client* client, int timeout_ms);

// How many calls are in flight.
size_t tocsin_in_flight(const tocsin_client* client);

#ifdef __cplusplus
}
#endif

#endif
