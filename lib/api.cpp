// SPDX-License-Identifier: Apache-2.0
// The C functions. Each is an edge that no exception crosses: what is thrown inside is a lack of memory.
#include "lib/client.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#define TOCSIN_API extern "C" __attribute__((visibility("default")))

namespace {

using tocsin::lib::Asked;
using tocsin::lib::failure;
using tocsin::lib::Made;

template <typename Use> int guarded(Use use) noexcept {
    try {
        return use();
    } catch (const std::exception&) {
        return TOCSIN_NO_MEMORY;
    }
}

// A client that was closed in a callback goes when nothing of it is on the stack any more.
void settle(tocsin_client* client) noexcept {
    if (client->closing() && !client->in_callback()) {
        guarded([client] {
            client->cancel_all();
            return TOCSIN_OK;
        });
        delete client;
    }
}

template <typename Use> int with(tocsin_client* client, bool waits, Use use) noexcept {
    if (client == nullptr) {
        return TOCSIN_INVALID_ARGUMENT;
    }
    const int code = guarded([client, waits, &use] {
        const int checked = client->check(waits);
        return checked == TOCSIN_OK ? use() : checked;
    });
    if (code == TOCSIN_NO_MEMORY) {
        guarded([client] { return client->remember(failure(TOCSIN_NO_MEMORY, "there is no memory left")); });
    }
    settle(client);
    return code;
}

template <typename Use> int change(tocsin_event* event, Use use) noexcept {
    return event == nullptr ? TOCSIN_NO_MEMORY : guarded(use);
}

const char* or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

Made submit_of(const tocsin_event* event) {
    return event == nullptr ? Made(std::unexpected(failure(TOCSIN_NO_MEMORY, "the event is NULL")))
                            : tocsin::lib::submit_request(*event);
}

Made batch_of(const tocsin_event* const* events, size_t count) {
    return tocsin::lib::batch_request({events, events == nullptr ? 0 : count});
}

const tocsin::lib::FieldProblem* problem_at(const tocsin_result* result, size_t i) {
    return result != nullptr && i < result->problems.size() ? &result->problems[i] : nullptr;
}

} // namespace

TOCSIN_API const char* tocsin_code_name(int code) {
    switch (code) {
    case TOCSIN_OK:
        return "OK";
    case TOCSIN_INVALID_EVENT:
        return "InvalidEvent";
    case TOCSIN_INVALID_ARGUMENT:
        return "InvalidArgument";
    case TOCSIN_NOT_FOUND:
        return "NotFound";
    case TOCSIN_NOT_AUTHORIZED:
        return "NotAuthorized";
    case TOCSIN_UNAVAILABLE:
        return "Unavailable";
    case TOCSIN_LIMIT_EXCEEDED:
        return "LimitExceeded";
    case TOCSIN_STORAGE_FULL:
        return "StorageFull";
    case TOCSIN_CONFLICT:
        return "Conflict";
    case TOCSIN_TIMEOUT:
        return "Timeout";
    case TOCSIN_AGAIN:
        return "Again";
    case TOCSIN_NO_MEMORY:
        return "NoMemory";
    case TOCSIN_FORKED:
        return "Forked";
    case TOCSIN_CANCELLED:
        return "Cancelled";
    case TOCSIN_PROTOCOL:
        return "Protocol";
    default:
        return "unknown";
    }
}

TOCSIN_API const char* tocsin_version(void) {
    return TOCSIN_VERSION;
}

// ---- clients ----

TOCSIN_API int tocsin_open(tocsin_client** client, const char* socket_path) {
    if (client == nullptr) {
        return TOCSIN_INVALID_ARGUMENT;
    }
    *client = nullptr;
    return guarded([client, socket_path] {
        auto made = std::make_unique<tocsin_client>(tocsin::lib::choose_socket(socket_path));
        const int opened = made->open();
        if (opened == TOCSIN_OK) {
            *client = made.release();
        }
        return opened;
    });
}

TOCSIN_API void tocsin_close(tocsin_client* client) {
    if (client == nullptr) {
        return;
    }
    if (client->forked()) {
        delete client;
        return;
    }
    client->close_later();
    settle(client);
}

// ---- events ----

TOCSIN_API tocsin_event* tocsin_event_new(const char* event_name, const char* event_src) {
    tocsin_event* event = nullptr;
    guarded([&event, event_name, event_src] {
        auto made = std::make_unique<tocsin_event>();
        made->set_text("event_name", event_name);
        made->set_text("event_src", event_src);
        event = made.release();
        return TOCSIN_OK;
    });
    return event;
}

TOCSIN_API void tocsin_event_free(tocsin_event* event) {
    delete event;
}

TOCSIN_API int tocsin_event_set_text(tocsin_event* event, const char* field, const char* value) {
    return change(event, [event, field, value] { return event->set_text(or_empty(field), value); });
}

TOCSIN_API int tocsin_event_set_int(tocsin_event* event, const char* field, int64_t value) {
    return change(event, [event, field, value] { return event->set_int(or_empty(field), value); });
}

TOCSIN_API int tocsin_event_set_time(tocsin_event* event, int64_t microseconds) {
    return change(event, [event, microseconds] { return event->set_time(microseconds); });
}

TOCSIN_API int tocsin_event_set_payload(tocsin_event* event, const char* json_object) {
    return change(event, [event, json_object] { return event->set_payload(json_object); });
}

TOCSIN_API int tocsin_event_add_text(tocsin_event* event, const char* key, const char* value) {
    return change(event, [event, key, value] { return event->add_text(or_empty(key), value); });
}

TOCSIN_API int tocsin_event_add_int(tocsin_event* event, const char* key, int64_t value) {
    return change(event, [event, key, value] { return event->add_int(or_empty(key), value); });
}

TOCSIN_API int tocsin_event_add_real(tocsin_event* event, const char* key, double value) {
    return change(event, [event, key, value] { return event->add_real(or_empty(key), value); });
}

TOCSIN_API int tocsin_event_add_bool(tocsin_event* event, const char* key, int value) {
    return change(event, [event, key, value] { return event->add_bool(or_empty(key), value != 0); });
}

TOCSIN_API int tocsin_event_renew_key(tocsin_event* event) {
    return change(event, [event] {
        const std::string key = tocsin::lib::new_key();
        if (key.empty()) {
            return static_cast<int>(TOCSIN_UNAVAILABLE);
        }
        event->set_time(tocsin::lib::now_us());
        return event->set_text("idempotency_key", key.c_str());
    });
}

// ---- results ----

TOCSIN_API const tocsin_result* tocsin_last(const tocsin_client* client) {
    return client == nullptr ? nullptr : &client->last();
}

TOCSIN_API int tocsin_result_code(const tocsin_result* result) {
    return result == nullptr ? TOCSIN_NO_MEMORY : result->code;
}

TOCSIN_API const char* tocsin_result_message(const tocsin_result* result) {
    return result == nullptr ? "there is no result" : result->message.c_str();
}

TOCSIN_API const char* tocsin_result_field(const tocsin_result* result) {
    return tocsin_result_error_field(result, 0);
}

TOCSIN_API size_t tocsin_result_count(const tocsin_result* result) {
    return result == nullptr ? 0 : result->indexes.size();
}

TOCSIN_API uint64_t tocsin_result_index(const tocsin_result* result, size_t i) {
    return i < tocsin_result_count(result) ? result->indexes[i] : 0;
}

TOCSIN_API int tocsin_result_duplicate(const tocsin_result* result) {
    return result != nullptr && result->duplicate ? 1 : 0;
}

TOCSIN_API int tocsin_result_retry_after_ms(const tocsin_result* result) {
    return result == nullptr ? -1 : result->retry_after_ms;
}

TOCSIN_API size_t tocsin_result_errors(const tocsin_result* result) {
    return result == nullptr ? 0 : result->problems.size();
}

TOCSIN_API size_t tocsin_result_error_event(const tocsin_result* result, size_t i) {
    const auto* problem = problem_at(result, i);
    return problem == nullptr ? 0 : problem->event;
}

TOCSIN_API const char* tocsin_result_error_field(const tocsin_result* result, size_t i) {
    const auto* problem = problem_at(result, i);
    return problem == nullptr ? "" : problem->field.c_str();
}

TOCSIN_API const char* tocsin_result_error_reason(const tocsin_result* result, size_t i) {
    const auto* problem = problem_at(result, i);
    return problem == nullptr ? "" : problem->reason.c_str();
}

// ---- synchronous calls ----

TOCSIN_API int tocsin_submit(tocsin_client* client, const tocsin_event* event, int timeout_ms, uint64_t* unique_index) {
    return with(client, true, [client, event, timeout_ms, unique_index] {
        const int code = client->run(submit_of(event), timeout_ms);
        if (unique_index != nullptr) {
            *unique_index = tocsin_result_index(&client->last(), 0);
        }
        return code;
    });
}

TOCSIN_API int tocsin_submit_batch(tocsin_client* client, const tocsin_event* const* events, size_t count,
                                   int timeout_ms, uint64_t* unique_indexes) {
    return with(client, true, [client, events, count, timeout_ms, unique_indexes] {
        const int code = client->run(batch_of(events, count), timeout_ms);
        if (unique_indexes != nullptr && code == TOCSIN_OK) {
            std::ranges::copy(client->last().indexes, unique_indexes);
        }
        return code;
    });
}

TOCSIN_API int tocsin_beat(tocsin_client* client, const char* source, const tocsin_beat_options* options,
                           int timeout_ms) {
    return with(client, true, [client, source, options, timeout_ms] {
        return client->run(tocsin::lib::beat_request(source, options), timeout_ms);
    });
}

// ---- asynchronous calls ----

TOCSIN_API int tocsin_submit_async(tocsin_client* client, const tocsin_event* event, int timeout_ms, tocsin_done done,
                                   void* user) {
    return with(client, false, [client, event, asked = Asked{timeout_ms, done, user}] {
        return client->start(submit_of(event), asked);
    });
}

TOCSIN_API int tocsin_submit_batch_async(tocsin_client* client, const tocsin_event* const* events, size_t count,
                                         int timeout_ms, tocsin_done done, void* user) {
    return with(client, false, [client, events, count, asked = Asked{timeout_ms, done, user}] {
        return client->start(batch_of(events, count), asked);
    });
}

TOCSIN_API int tocsin_beat_async(tocsin_client* client, const char* source, const tocsin_beat_options* options,
                                 int timeout_ms, tocsin_done done, void* user) {
    return with(client, false, [client, source, options, asked = Asked{timeout_ms, done, user}] {
        return client->start(tocsin::lib::beat_request(source, options), asked);
    });
}

TOCSIN_API int tocsin_fd(const tocsin_client* client) {
    if (client == nullptr) {
        return TOCSIN_INVALID_ARGUMENT;
    }
    return client->forked() ? TOCSIN_FORKED : client->fd();
}

TOCSIN_API int tocsin_process(tocsin_client* client) {
    return with(client, true, [client] { return client->process(); });
}

TOCSIN_API int tocsin_wait(tocsin_client* client, int timeout_ms) {
    return with(client, true, [client, timeout_ms] { return client->wait(timeout_ms); });
}

TOCSIN_API size_t tocsin_in_flight(const tocsin_client* client) {
    return client == nullptr ? 0 : client->in_flight();
}
