// SPDX-License-Identifier: Apache-2.0
#include "storage/scan.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::uint64_t events_per_look = 32; // whole events decided between two looks at the time

bool over(std::chrono::steady_clock::time_point end) {
    return std::chrono::steady_clock::now() >= end;
}
} // namespace

Scan::Scan(const Filter& filter, View view, Order order, Part part)
    : filter_(filter),
      matcher_(filter),
      view_(std::move(view)),
      part_(part),
      descending_(order == Order::newest),
      by_time_(order != Order::index) {
    for (const BlockSummary& block : *view_.blocks) {
        const bool received = (!filter.received_since_us || block.max_received_us >= *filter.received_since_us) &&
                              (!filter.received_until_us || block.min_received_us < *filter.received_until_us);
        if (received) {
            add_source({block.first, block.last, {block.min_event_us, block.max_event_us}, false});
        }
    }
    for (std::size_t row = 0; row < view_.rows; row += rows_per_chunk) {
        const std::uint64_t first = view_.tail->first() + row;
        const std::size_t rows = std::min(rows_per_chunk, view_.rows - row);
        add_source({first, first + rows - 1, view_.tail->range(row / rows_per_chunk), true});
    }
    if (order == Order::newest) {
        std::ranges::sort(sources_, [](const Source& a, const Source& b) { return a.range.max_us > b.range.max_us; });
    } else if (order == Order::oldest) {
        std::ranges::sort(sources_, [](const Source& a, const Source& b) { return a.range.min_us < b.range.min_us; });
    }
}

void Scan::add_source(const Source& source) {
    Source part = source;
    part.first = std::max(part.first, part_.after == UINT64_MAX ? part_.after : part_.after + 1);
    part.last = std::min(part.last, part_.upto);
    if (part.first <= part.last && in_range(part.range)) {
        sources_.push_back(part);
    }
}

bool Scan::in_range(TimeRange range) const {
    return (!filter_.since_us || range.max_us >= *filter_.since_us) &&
           (!filter_.until_us || range.min_us < *filter_.until_us);
}

std::uint64_t Scan::considered() const {
    if (source_ >= sources_.size()) {
        return part_.upto;
    }
    return (inside_ ? at_ : sources_[source_].first) - 1;
}

Result<bool> Scan::step(ReadContext& context, Taker& taker) {
    const auto end = std::chrono::steady_clock::now() + slice_length;
    const auto txn = Txn::read(context.env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    LogReader log(*txn, context.chunk);
    Slice slice{log, taker, end};
    for (; source_ < sources_.size() && !taker.full(); ++source_, inside_ = false) {
        const Source& source = sources_[source_];
        if (!inside_ && by_time_ && !taker.can_improve(source.range)) {
            source_ = sources_.size();
            return true;
        }
        if (!inside_ && !taker.may_want(source.range)) {
            continue;
        }
        if (!inside_) {
            at_ = descending_ ? source.last : source.first;
            inside_ = true;
        }
        const auto done = source.tail ? scan_tail(source, slice) : scan_log(source, slice);
        if (!done || !*done) {
            return done;
        }
        if (over(end)) {
            ++source_;
            inside_ = false;
            return source_ >= sources_.size();
        }
    }
    return true;
}

// Moves at_ beyond the rows low … high; false where the source ends there.
bool Scan::move_on(std::uint64_t low, std::uint64_t high) {
    const Source& source = sources_[source_];
    if (descending_ ? low <= source.first : high >= source.last) {
        return false;
    }
    at_ = descending_ ? low - 1 : high + 1;
    return true;
}

template <typename String>
Result<bool> Scan::visit(const Rows& rows, Slice& slice, Matcher::Memo& memo, const String& string) {
    for (;;) {
        const auto row = static_cast<std::size_t>(at_ - rows.first);
        const Position position{rows.columns.event_time_us[row], at_};
        if (slice.taker.wants(position) && matcher_.row(rows.columns, row, memo, string)) {
            bool belongs = true;
            if (matcher_.needs_event()) {
                const auto event = slice.log.event(at_);
                if (!event) {
                    return std::unexpected(event.error());
                }
                belongs = filter_.matches(*event);
                ++evaluated_;
            }
            if (belongs) {
                slice.taker.take(position);
            }
        }
        if (at_ == (descending_ ? rows.low : rows.high)) {
            return true;
        }
        at_ = descending_ ? at_ - 1 : at_ + 1;
        if (slice.taker.full()) {
            return true;
        }
        if (evaluated_ >= events_per_look) {
            evaluated_ = 0;
            if (over(slice.end)) {
                return false;
            }
        }
    }
}

Result<bool> Scan::scan_tail(const Source& source, Slice& slice) {
    const std::size_t block = static_cast<std::size_t>(source.first - view_.tail->first()) / rows_per_chunk;
    const Rows rows{view_.tail->columns(block), view_.tail->first() + block * rows_per_chunk, source.first,
                    source.last};
    const Segment& tail = *view_.tail;
    return visit(rows, slice, tail_memo_, [&tail](std::uint32_t code) { return tail.string(code); });
}

Result<bool> Scan::scan_log(const Source& source, Slice& slice) {
    for (;;) {
        const auto there = descending_ ? slice.log.at_or_before(at_) : slice.log.at_or_after(at_);
        if (!there) {
            return there;
        }
        ChunkReader& chunk = slice.log.chunk();
        if (!*there || chunk.first() > source.last || chunk.last() < source.first) {
            return true;
        }
        const TimeRange range{chunk.min_us(), chunk.max_us()};
        const bool look = in_range(range) && slice.taker.may_want(range) &&
                          (!by_time_ || slice.taker.can_improve(range)) && matcher_.possible(chunk.strings());
        if (look) {
            if (auto read = chunk.read_columns(); !read) {
                return std::unexpected(read.error());
            }
            const Rows rows{chunk.columns(), chunk.first(), std::max(chunk.first(), source.first),
                            std::min(chunk.last(), source.last)};
            at_ = std::clamp(at_, rows.low, rows.high);
            chunk_memo_.reset();
            const auto done =
                visit(rows, slice, chunk_memo_, [&chunk](std::uint32_t code) { return chunk.strings()[code]; });
            if (!done || !*done || slice.taker.full()) {
                return done;
            }
        }
        if (!move_on(chunk.first(), chunk.last())) {
            return true;
        }
        if (over(slice.end)) {
            return false;
        }
    }
}

} // namespace tocsin::storage
