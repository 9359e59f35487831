// SPDX-License-Identifier: Apache-2.0
#include "storage/query.hpp"

#include "storage/scan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::size_t fetch_window = 128;            // events fetched in index order, answered in page order
constexpr std::chrono::milliseconds follow_time{20}; // of one read_after

class Stopwatch {
public:
    explicit Stopwatch(std::chrono::steady_clock::duration& sum) : sum_(sum) {}
    ~Stopwatch() { sum_ += std::chrono::steady_clock::now() - start_; }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    std::chrono::steady_clock::duration sum() const { return sum_ + (std::chrono::steady_clock::now() - start_); }

private:
    std::chrono::steady_clock::duration& sum_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// ---- one event ----

class Get final : public Asked<Event> {
public:
    Get(const Post& post, std::uint64_t index, Done<Event> done) : Asked(post, std::move(done)), index_(index) {}

    bool step(ReadContext& context) override {
        const auto txn = Txn::read(context.env);
        if (!txn) {
            answer(std::unexpected(txn.error()));
            return true;
        }
        LogReader log(*txn, context.chunk);
        answer(log.event(index_));
        return true;
    }

private:
    std::uint64_t index_;
};

// ---- a page ----

// The best of what was found, one more than the page holds, so that we know whether there is a next one.
class Best final : public Taker {
public:
    Best(Order order, std::size_t room, std::optional<Position> after) : order_(order), room_(room), after_(after) {}

    bool may_want(TimeRange range) const override {
        if (!after_ || order_ == Order::index) {
            return true;
        }
        return order_ == Order::newest ? range.min_us <= after_->time_us : range.max_us >= after_->time_us;
    }
    bool can_improve(TimeRange range) const override {
        if (found_.size() < room_) {
            return true;
        }
        return order_ == Order::newest ? range.max_us >= found_.front().time_us
                                       : range.min_us <= found_.front().time_us;
    }
    bool wants(const Position& p) const override {
        return (!after_ || before(*after_, p)) && (found_.size() < room_ || before(p, found_.front()));
    }
    void take(const Position& p) override {
        const auto worst_first = [this](const Position& a, const Position& b) { return before(a, b); };
        if (found_.size() == room_) {
            std::ranges::pop_heap(found_, worst_first);
            found_.pop_back();
        }
        found_.push_back(p);
        std::ranges::push_heap(found_, worst_first);
    }
    bool full() const override { return order_ == Order::index && found_.size() == room_; }

    std::vector<Position> sorted() && {
        std::ranges::sort(found_, [this](const Position& a, const Position& b) { return before(a, b); });
        return std::move(found_);
    }

private:
    bool before(const Position& a, const Position& b) const {
        switch (order_) {
        case Order::newest:
            return a > b;
        case Order::oldest:
            return a < b;
        case Order::index:
            return a.index < b.index;
        }
        return false;
    }
    Order order_;
    std::size_t room_;
    std::optional<Position> after_;
    std::vector<Position> found_{}; // a heap, the worst in front
};

class PageQuery final : public Asked<Page> {
public:
    PageQuery(const Post& post, QueryBounds bounds, PageRequest request, Done<Page> done)
        : Asked(post, std::move(done)), bounds_(bounds), request_(std::move(request)) {}

    bool step(ReadContext& context) override {
        const Stopwatch watch(used_);
        auto done = scan_ ? Result<bool>(true) : begin(context);
        done = done && !scanned_ ? scan(context, watch) : done;
        // The whole page at once: at no time are more pages in memory than there are threads.
        for (bool more = done && *done && (!positions_.empty() || rest_); more;) {
            done = fetch(context);
            more = done && !*done;
        }
        if (!done) {
            answer(std::unexpected(done.error()));
            return true;
        }
        if (!*done && watch.sum() > std::chrono::microseconds(bounds_.query_us_max)) {
            answer(std::unexpected(too_long()));
            return true;
        }
        if (*done) {
            answer(std::move(page_));
        }
        return *done;
    }

private:
    Result<bool> begin(ReadContext& context) {
        const View view = context.publisher.take();
        hash_ = request_.filter.hash();
        snapshot_ = view.last;
        std::optional<Position>& after = after_;
        if (!request_.cursor.empty()) {
            const auto cursor = PageCursor::decode(request_.cursor, hash_);
            if (!cursor) {
                return std::unexpected(cursor.error());
            }
            after = Position{cursor->time_us, cursor->index};
            snapshot_ = std::min(snapshot_, cursor->snapshot);
        }
        const Order order = request_.filter.order;
        limit_ = std::clamp<std::size_t>(request_.limit, 1, limits::page_max);
        best_.emplace(order, limit_ + 1, after);
        const std::uint64_t from = order == Order::index && after ? after->index : 0;
        scan_.emplace(request_.filter, view, order, Scan::Part{.after = from, .upto = snapshot_});
        return true;
    }

    Result<bool> scan(ReadContext& context, const Stopwatch& watch) {
        auto done = scan_->step(context, *best_);
        if (done && !*done && watch.sum() > std::chrono::microseconds(bounds_.page_us_max)) {
            rest_ = so_far();
            *done = rest_.has_value();
        }
        if (done && *done) {
            scanned_ = true;
            positions_ = std::move(*best_).sorted();
            std::erase_if(positions_, [this](const Position& p) { return rest_ && is_rest(p); });
        }
        return done;
    }

    // Up to where the page can be answered as it is; none where it has not come further than the one before it.
    std::optional<Position> so_far() const {
        const Order order = request_.filter.order;
        if (order == Order::index) {
            const std::uint64_t index = scan_->considered();
            return index > (after_ ? after_->index : 0) ? std::optional(Position{0, index}) : std::nullopt;
        }
        const auto time_us = scan_->considered_us();
        const bool newest = order == Order::newest;
        const bool further = time_us && (!after_ || (newest ? *time_us < after_->time_us : *time_us > after_->time_us));
        return further ? std::optional(Position{*time_us, newest ? UINT64_MAX : 0}) : std::nullopt;
    }
    bool is_rest(const Position& p) const {
        switch (request_.filter.order) {
        case Order::newest:
            return p < *rest_;
        case Order::oldest:
            return p > *rest_;
        case Order::index:
            return p.index > rest_->index;
        }
        return false;
    }

    // One window; true when the page is complete.
    Result<bool> fetch(ReadContext& context) {
        const auto txn = Txn::read(context.env);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        LogReader log(*txn, context.chunk);
        const std::size_t end = std::min({positions_.size(), limit_, fetched_ + fetch_window});
        std::vector<std::size_t> order(end - fetched_);
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = i;
        }
        std::ranges::sort(order, {}, [this](std::size_t i) { return positions_[fetched_ + i].index; });
        std::vector<std::optional<Event>> events(order.size());
        for (const std::size_t i : order) {
            auto event = log.event(positions_[fetched_ + i].index);
            if (event) {
                events[i] = std::move(*event);
            } else if (event.error().code != Code::not_found) { // that one expired since it was found
                return std::unexpected(event.error());
            }
        }
        return add(std::move(events));
    }

    bool add(std::vector<std::optional<Event>> events) {
        bool cut = false;
        for (auto& event : events) {
            bytes_ += event ? size_of(*event) : 0;
            cut = event && bytes_ > limits::page_bytes && !page_.events.empty();
            if (cut) {
                break;
            }
            ++fetched_;
            if (event) {
                page_.events.push_back(std::move(*event));
            }
        }
        if (!cut && fetched_ < std::min(positions_.size(), limit_)) {
            return false;
        }
        if (fetched_ < positions_.size()) {
            const Position& last = positions_[fetched_ - 1];
            page_.next = PageCursor{last.time_us, last.index, snapshot_, hash_}.encode();
        } else if (rest_) {
            page_.next = PageCursor{rest_->time_us, rest_->index, snapshot_, hash_}.encode();
        }
        return true;
    }

    QueryBounds bounds_;
    PageRequest request_;
    std::size_t limit_ = 0;
    std::uint64_t hash_ = 0;
    std::uint64_t snapshot_ = 0;
    std::optional<Best> best_{};
    std::optional<Scan> scan_{};
    bool scanned_ = false;
    std::optional<Position> after_{}; // where the page before it ended
    std::optional<Position> rest_{};  // what comes after it was not considered
    std::vector<Position> positions_{};
    std::size_t fetched_ = 0;
    std::size_t bytes_ = 0;
    Page page_{};
    std::chrono::steady_clock::duration used_{};
};

// ---- counting ----

class Counter final : public Taker {
public:
    void take(const Position&) override { ++count; }
    Result<bool> take_block(const Txn&, const SealedRows& left) override {
        count += left.rows.count();
        return true;
    }
    std::uint64_t count = 0;
};

class CountQuery final : public Asked<std::uint64_t> {
public:
    CountQuery(const Post& post, QueryBounds bounds, Filter filter, Done<std::uint64_t> done)
        : Asked(post, std::move(done)), bounds_(bounds), filter_(std::move(filter)) {}

    bool step(ReadContext& context) override {
        const Stopwatch watch(used_);
        if (!scan_) {
            const View view = context.publisher.take();
            if (filter_.empty()) {
                answer(view.events());
                return true;
            }
            scan_.emplace(filter_, view, Order::index, Scan::Part{.after = 0, .upto = view.last});
        }
        const auto done = scan_->step(context, counter_);
        if (!done) {
            answer(std::unexpected(done.error()));
        } else if (*done) {
            answer(counter_.count);
        } else if (watch.sum() > std::chrono::microseconds(bounds_.query_us_max)) {
            answer(std::unexpected(too_long()));
        } else {
            return false;
        }
        return true;
    }

private:
    QueryBounds bounds_;
    Filter filter_;
    std::optional<Scan> scan_{};
    Counter counter_{};
    std::chrono::steady_clock::duration used_{};
};

// ---- following ----

class Some final : public Taker {
public:
    explicit Some(std::size_t room) : room_(room) {}
    void take(const Position& p) override { found.push_back(p.index); }
    bool full() const override { return found.size() >= room_; }
    std::vector<std::uint64_t> found{};

private:
    std::size_t room_;
};

class FollowQuery final : public Asked<Slice> {
public:
    FollowQuery(const Post& post, FollowRequest request, Done<Slice> done)
        : Asked(post, std::move(done)),
          request_(std::move(request)),
          some_(std::clamp<std::size_t>(request_.limit, 1, limits::page_max)) {}

    bool step(ReadContext& context) override {
        const Stopwatch watch(used_);
        if (!scan_) {
            const View view = context.publisher.take();
            slice_.first_kept = view.first == 0 ? view.last + 1 : view.first;
            slice_.upto = request_.after;
            if (request_.after >= view.last) {
                answer(std::move(slice_));
                return true;
            }
            scan_.emplace(request_.filter, view, Order::index, Scan::Part{.after = request_.after, .upto = view.last});
        }
        const auto done = scan_->step(context, some_);
        if (!done) {
            answer(std::unexpected(done.error()));
            return true;
        }
        if (!*done && watch.sum() < follow_time) {
            return false;
        }
        slice_.upto = some_.full() ? some_.found.back() : std::max(request_.after, scan_->considered());
        if (auto fetched = fetch(context); !fetched) {
            answer(std::unexpected(fetched.error()));
        } else {
            answer(std::move(slice_));
        }
        return true;
    }

private:
    Result<void> fetch(ReadContext& context) {
        const auto txn = Txn::read(context.env);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        LogReader log(*txn, context.chunk);
        std::size_t bytes = 0;
        for (const std::uint64_t index : some_.found) {
            auto event = log.event(index);
            if (!event && event.error().code == Code::not_found) {
                continue; // it expired since it was found
            }
            if (!event) {
                return std::unexpected(event.error());
            }
            bytes += size_of(*event);
            if (bytes > limits::page_bytes && !slice_.events.empty()) {
                slice_.upto = slice_.events.back().unique_index;
                return {};
            }
            slice_.events.push_back(std::move(*event));
        }
        return {};
    }

    FollowRequest request_;
    Some some_;
    std::optional<Scan> scan_{};
    Slice slice_{};
    std::chrono::steady_clock::duration used_{};
};

} // namespace

Error too_long() {
    return fail(Code::limit_exceeded, "query", "",
                "took too long; narrow the filter, by since and until or by event_name for instance")
        .error();
}

std::unique_ptr<Task> get_task(const Post& post, std::uint64_t index, Done<Event> done) {
    return std::make_unique<Get>(post, index, std::move(done));
}

std::unique_ptr<Task> page_task(const Post& post, QueryBounds bounds, PageRequest request, Done<Page> done) {
    return std::make_unique<PageQuery>(post, bounds, std::move(request), std::move(done));
}

std::unique_ptr<Task> count_task(const Post& post, QueryBounds bounds, Filter filter, Done<std::uint64_t> done) {
    return std::make_unique<CountQuery>(post, bounds, std::move(filter), std::move(done));
}

std::unique_ptr<Task> follow_task(const Post& post, FollowRequest request, Done<Slice> done) {
    return std::make_unique<FollowQuery>(post, std::move(request), std::move(done));
}

} // namespace tocsin::storage
