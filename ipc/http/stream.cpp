// SPDX-License-Identifier: Apache-2.0
// Server-sent events. A follower is a position in the log. While it has read all there is, the fanout hands it commits
// as they come; when its reader is slow and its buffer full, it forgets the rest and reads it from the log later. So
// nothing is missed or sent twice, and a sleeping reader costs one bounded buffer.
#include "ipc/http/event_text.hpp"
#include "ipc/http/fanout.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned retry_ms = 2'000;

class Follower final : public Member, public std::enable_shared_from_this<Follower> {
public:
    Follower(Context& context, Filter filter, std::uint64_t after)
        : context_(context), fanout_(context.fanout), filter_(std::move(filter)), after_(after) {
        add(fmt::format("retry: {}\n: store {}\n\n", retry_ms, context.store_id));
        last_comment_boot_us_ = context.clock.boot_us();
    }
    ~Follower() override { end(); }

    // A position of another store says nothing about this one.
    void start(const std::string& question, bool of_this_store) {
        const std::uint64_t last = context_.services.reader.last_index();
        fanout_->join(*this, question, filter_);
        if (!of_this_store || after_ > last) { // the latter: of a store that had more, before it was restored
            add_gap(after_, last + 1);
            after_ = last;
        }
        if (after_ == last) {
            fanout_->go_live(*this, last);
        }
    }

    void pull(std::move_only_function<void(std::string)> ready) {
        fanout_->release(std::exchange(given_, 0));
        ready_ = std::move(ready);
        if (ended_) {
            give();
        } else if (!fanout_->due(*this)) { // else it is woken with the others
            wake();
        }
    }

    // Rather a tick early than late.
    void tick(std::int64_t now_boot_us) {
        const Limits& limits = context_.limits;
        if (!ended_ && !full() && now_boot_us - last_comment_boot_us_ > limits.comment_us - limits.tick_us) {
            last_comment_boot_us_ = now_boot_us;
            add(": still here\n\n");
            wake();
        }
    }

    void end() {
        if (!std::exchange(ended_, true)) {
            fanout_->leave(*this);
            fanout_->release(buffer_.size() + std::exchange(given_, 0));
            buffer_.clear();
        }
        give();
    }

    bool take(std::string_view text) override {
        if (full()) {
            return false;
        }
        add(text);
        return true;
    }

    void wake() override {
        if (!ready_ || ended_) {
            return;
        }
        if (!buffer_.empty()) {
            give();
        } else if (!fanout_->live(*this) && !reading_) {
            read();
        }
    }

private:
    void give() {
        if (auto ready = std::exchange(ready_, nullptr)) {
            given_ = buffer_.size();
            ready(std::exchange(buffer_, {}));
        }
    }

    void add(std::string_view text) {
        buffer_ += text;
        fanout_->hold(text.size());
    }

    bool full() const {
        return buffer_.size() >= context_.limits.follower_bytes || (!buffer_.empty() && fanout_->crowded());
    }

    void read() {
        reading_ = true;
        after_ = std::max(after_, fanout_->considered(*this));
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
            add_gap(after_, slice->first_kept);
            after_ = slice->first_kept - 1;
        }
        std::string text;
        for (const Event& event : slice->events) {
            append_event(text, event);
            after_ = std::max(after_, event.unique_index);
        }
        add(text);
        after_ = std::max(after_, slice->upto);
        if (after_ >= context_.services.reader.last_index()) {
            fanout_->go_live(*this, after_);
        } else if (after_ == before) { // nothing moved: not again before something is new
            return fanout_->wake_on_commit(*this);
        }
        wake();
    }

    void add_gap(std::uint64_t after, std::uint64_t first) {
        add(fmt::format("event: gap\ndata: {{\"after\":{},\"first\":{}}}\n\n", after, first));
    }

    Context& context_;
    std::shared_ptr<Fanout> fanout_;
    Filter filter_;
    std::uint64_t after_; // every index up to here was considered, while it is not live
    std::string buffer_{};
    std::size_t given_ = 0; // bytes that are being written
    std::move_only_function<void(std::string)> ready_{};
    std::int64_t last_comment_boot_us_ = 0;
    bool reading_ = false;
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
    bool of_this_store = true;
    std::string question{}; // the filter's parameters as they were given
    Filter filter{};
};

// "17", or "STORE:17" from who knows which store that was of.
Result<void> read_position(const Context& context, std::string_view name, std::string_view text,
                           StreamRequest& stream) {
    constexpr std::size_t id_digits = 32;
    stream.of_this_store = true;
    if (text.size() > id_digits && text[id_digits] == ':') {
        stream.of_this_store = text.substr(0, id_digits) == context.store_id;
        text.remove_prefix(id_digits + 1);
    }
    const auto after = parse_index(name, text);
    if (!after) {
        return std::unexpected(after.error());
    }
    stream.after = *after;
    return {};
}

Result<StreamRequest> read_request(const Context& context, const Request& request) {
    StreamRequest stream;
    FilterBuilder builder(context.services.intake.rules().zone);
    for (const auto& [key, value] : request.parameters) {
        if (key == "order") {
            return std::unexpected(bad_request("order", "a stream is always in the order of the index"));
        }
        if (key != "after") {
            builder.add(key, std::string_view(value));
            stream.question.append(key).append(1, '\0').append(value).append(1, '\0');
            continue;
        }
        if (stream.after) {
            return std::unexpected(bad_request("after", "is given twice"));
        }
        if (const auto read = read_position(context, key, value, stream); !read) {
            return std::unexpected(read.error());
        }
    }
    if (!request.last_event_id.empty()) { // newer than the parameter: a browser reconnects to the same address
        if (const auto read = read_position(context, "Last-Event-ID", request.last_event_id, stream); !read) {
            return std::unexpected(read.error());
        }
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
    follower->start(stream->question, stream->of_this_store);
    Response response;
    response.content_type = "text/event-stream";
    response.stream = std::make_unique<FollowerSource>(std::move(follower));
    responder.reply(std::move(response));
}

} // namespace tocsin::ipc::http
