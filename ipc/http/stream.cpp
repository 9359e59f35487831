// SPDX-License-Identifier: Apache-2.0
// Server-sent events. A follower is a position in the log. While it has read all there is, commits are handed to it as
// they come; when its reader is slow and its buffer full, it forgets the rest and reads it from the log later. So
// nothing is missed or sent twice, and a sleeping reader costs one bounded buffer.
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned retry_ms = 2'000;

class Follower final : public std::enable_shared_from_this<Follower> {
public:
    Follower(Context& context, Filter filter, std::uint64_t after)
        : context_(context), filter_(std::move(filter)), after_(after) {
        buffer_ = fmt::format("retry: {}\n: store {}\n\n", retry_ms, context.store_id);
        last_comment_boot_us_ = context.clock.boot_us();
    }

    void start() {
        const std::uint64_t last = context_.services.reader.last_index();
        if (after_ > last) { // of a store that had more, before it was restored
            append_gap(after_, last + 1);
            after_ = last;
        }
        live_ = after_ == last;
        auto on_commit = [weak = weak_from_this()](const CommitNotice& notice) {
            if (const auto self = weak.lock()) {
                self->committed(notice);
            }
        };
        subscription_ = context_.services.feed.on_commit(std::move(on_commit));
    }

    void pull(std::move_only_function<void(std::string)> ready) {
        ready_ = std::move(ready);
        if (ended_) {
            give();
        } else {
            go_on();
        }
    }

    // Rather a tick early than late.
    void tick(std::int64_t now_boot_us) {
        const Limits& limits = context_.limits;
        if (!ended_ && !full() && now_boot_us - last_comment_boot_us_ > limits.comment_us - limits.tick_us) {
            last_comment_boot_us_ = now_boot_us;
            buffer_ += ": still here\n\n";
            wake();
        }
    }

    void end() {
        ended_ = true;
        subscription_.reset();
        buffer_.clear();
        give();
    }

private:
    void go_on() {
        if (!buffer_.empty()) {
            give();
        } else if (!live_ && !reading_) {
            read();
        }
    }

    void give() {
        if (auto ready = std::exchange(ready_, nullptr)) {
            ready(std::exchange(buffer_, {}));
        }
    }

    bool full() const { return buffer_.size() >= context_.limits.follower_bytes; }

    void committed(const CommitNotice& notice) {
        if (ended_ || !live_ || notice.last <= after_) {
            stalled_ = false;
            return wake();
        }
        if (notice.first > after_ + 1 || !notice.events) {
            live_ = false; // something between was not told: the log knows
            return wake();
        }
        for (const Event& event : *notice.events) {
            if (event.unique_index <= after_) {
                continue;
            }
            if (full()) {
                live_ = false;
                return wake();
            }
            append_if_asked(event);
            after_ = event.unique_index;
        }
        after_ = std::max(after_, notice.last);
        wake();
    }

    void wake() {
        if (ready_ && !ended_) {
            go_on();
        }
    }

    void read() {
        if (stalled_) {
            return; // until the next commit
        }
        reading_ = true;
        auto done = [weak = weak_from_this()](Result<Slice> slice) {
            if (const auto self = weak.lock()) {
                self->after_read(std::move(slice));
            }
        };
        context_.services.reader.read_after(after_, filter_, context_.limits.follower_events, std::move(done));
    }

    void after_read(Result<Slice> slice) {
        reading_ = false;
        if (ended_) {
            return;
        }
        if (!slice) { // the reader comes back with the last id it has seen
            return end();
        }
        const std::uint64_t before = after_;
        if (slice->first_kept > after_ + 1) {
            append_gap(after_, slice->first_kept);
            after_ = slice->first_kept - 1;
        }
        for (const Event& event : slice->events) {
            append(event);
            after_ = std::max(after_, event.unique_index);
        }
        after_ = std::max(after_, slice->upto);
        live_ = after_ >= context_.services.reader.last_index();
        stalled_ = !live_ && after_ == before;
        wake();
    }

    void append_if_asked(const Event& event) {
        if (filter_.matches(event)) {
            append(event);
        }
    }

    void append(const Event& event) {
        fmt::format_to(std::back_inserter(buffer_), "id: {}\nevent: event\ndata: ", event.unique_index);
        json::append_object(buffer_, event);
        buffer_ += "\n\n";
    }

    void append_gap(std::uint64_t after, std::uint64_t first) {
        fmt::format_to(std::back_inserter(buffer_), "event: gap\ndata: {{\"after\":{},\"first\":{}}}\n\n", after,
                       first);
    }

    Context& context_;
    Filter filter_;
    std::uint64_t after_; // every index up to here was considered
    std::string buffer_{};
    std::move_only_function<void(std::string)> ready_{};
    std::unique_ptr<Subscription> subscription_{};
    std::int64_t last_comment_boot_us_ = 0;
    bool live_ = false; // all there is was considered; commits come by themselves
    bool reading_ = false;
    bool stalled_ = false; // a read moved nothing
    bool ended_ = false;
};

// What the connection holds: the follower ends with it.
class FollowerSource final : public ByteSource {
public:
    explicit FollowerSource(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {}
    ~FollowerSource() override { follower_->end(); }
    FollowerSource(const FollowerSource&) = delete;
    FollowerSource& operator=(const FollowerSource&) = delete;
    void pull(std::move_only_function<void(std::string)> ready) override { follower_->pull(std::move(ready)); }
    void tick(std::int64_t now_boot_us) override { follower_->tick(now_boot_us); }
    void end() override { follower_->end(); }

private:
    std::shared_ptr<Follower> follower_;
};

struct StreamRequest {
    std::optional<std::uint64_t> after{};
    Filter filter{};
};

Result<StreamRequest> read_request(const Context& context, const Request& request) {
    StreamRequest stream;
    FilterBuilder builder(context.services.intake.rules().zone);
    for (const auto& [key, value] : request.parameters) {
        if (key == "order") {
            return std::unexpected(bad_request("order", "a stream is always in the order of the index"));
        }
        if (key != "after") {
            builder.add(key, std::string_view(value));
            continue;
        }
        const auto after = parse_index(key, value);
        if (!after || stream.after) {
            return std::unexpected(after ? bad_request("after", "is given twice") : after.error());
        }
        stream.after = *after;
    }
    if (!request.last_event_id.empty()) { // newer than the parameter: a browser reconnects to the same address
        const auto after = parse_index("Last-Event-ID", request.last_event_id);
        if (!after) {
            return std::unexpected(after.error());
        }
        stream.after = *after;
    }
    auto filter = builder.finish();
    if (!filter) {
        return std::unexpected(filter.error());
    }
    stream.filter = std::move(*filter);
    return stream;
}

} // namespace

void follow_events(Context& context, Request request, Responder responder) {
    auto stream = read_request(context, request);
    if (!stream) {
        return responder.fail(stream.error());
    }
    const std::uint64_t after = stream->after.value_or(context.services.reader.last_index());
    auto follower = std::make_shared<Follower>(context, std::move(stream->filter), after);
    follower->start();
    Response response;
    response.content_type = "text/event-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.stream = std::make_unique<FollowerSource>(std::move(follower));
    responder.reply(std::move(response));
}

} // namespace tocsin::ipc::http
