// SPDX-License-Identifier: Apache-2.0
#include "storage/scan.hpp"

#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::uint64_t events_per_look = 32;  // whole events decided between two looks at the time
constexpr std::uint64_t rows_per_look = 4'096; // rows of a sealed block

bool over(std::chrono::steady_clock::time_point end) {
    return std::chrono::steady_clock::now() >= end;
}
} // namespace

Scan::Scan(const Filter& filter, View view, Order order, Part part)
    : filter_(filter),
      matcher_(filter),
      sealed_filter_(filter),
      view_(std::move(view)),
      part_(part),
      descending_(order == Order::newest),
      by_time_(order != Order::index) {
    for (const BlockSummary& block : *view_.blocks) {
        const bool received = (!filter.received_since_us || block.max_received_us >= *filter.received_since_us) &&
                              (!filter.received_until_us || block.min_received_us < *filter.received_until_us);
        if (received) {
            add_source({block.first, block.last, {block.min_event_us, block.max_event_us}, block.first, block.last});
        }
    }
    for (std::size_t row = 0; row < view_.rows; row += rows_per_chunk) {
        const std::uint64_t first = view_.tail->first() + row;
        const std::size_t rows = std::min(rows_per_chunk, view_.rows - row);
        add_source({first, first + rows - 1, view_.tail->range(row / rows_per_chunk)});
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

std::optional<std::int64_t> Scan::considered_us() const {
    if (source_ == 0 || source_ >= sources_.size()) {
        return std::nullopt;
    }
    const TimeRange& next = sources_[source_].range; // no later one is better
    return descending_ ? next.max_us : next.min_us;
}

Result<bool> Scan::step(ReadContext& context, Taker& taker) {
    const auto end = std::chrono::steady_clock::now() + slice_length;
    const auto txn = Txn::read(context.env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    LogReader log(*txn, context.chunk);
    Slice slice{log, taker, context.values, end};
    const auto sealed = log.sealed();
    if (!sealed) {
        return std::unexpected(sealed.error());
    }
    for (; source_ < sources_.size() && !taker.full(); leave_source()) {
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
        const auto done = source.block == 0              ? scan_tail(source, slice)
                          : source.block_last <= *sealed ? scan_sealed(source, slice)
                                                         : scan_log(source, slice);
        if (!done || !*done) {
            return done;
        }
        if (over(end)) {
            leave_source();
            return source_ >= sources_.size();
        }
    }
    return true;
}

void Scan::leave_source() {
    ++source_;
    inside_ = false;
    left_.reset();
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
    const bool values = slice.taker.needs_values();
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
            if (belongs && values) {
                slice.taker.take_row(rows.columns, row);
            } else if (belongs) {
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
    const auto string = [&tail](std::uint32_t code) { return tail.string(code); };
    const auto done = visit(rows, slice, tail_memo_, string);
    slice.taker.end_rows(string);
    return done;
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
            const auto string = [&chunk](std::uint32_t code) { return chunk.strings()[code]; };
            const auto done = visit(rows, slice, chunk_memo_, string);
            slice.taker.end_rows(string);
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

// ---- sealed blocks ----

// From what was counted when the block was made; false where something of it has gone since, or part of it is asked.
Result<bool> Scan::take_counted(const Source& source, Slice& slice) {
    const Txn& txn = slice.log.txn();
    const std::string key = index_key(source.block);
    const auto stored = txn.get(Tree::blocks, key);
    if (!stored || !*stored) {
        return stored ? Result<bool>(false) : std::unexpected(stored.error());
    }
    const auto block = decode_block(key, **stored);
    if (!block) {
        return std::unexpected(block.error());
    }
    const BlockPlace place = place_of(*block);
    if (block->events != place.rows || source.first != block->first || source.last != block->last) {
        return false;
    }
    const auto in_part = slice.taker.take_counted(txn, slice.values, place, cut_->window());
    if (!in_part) {
        return std::unexpected(in_part.error());
    }
    for (const auto& edge : cut_->edges()) {
        if (*in_part == 0) {
            break;
        }
        const auto left = edge->select(txn, source.block, source.first, source.last);
        const auto taken = left && *left ? slice.taker.take_block(txn, **left) : Result<bool>(true);
        if (!left || !taken) {
            return std::unexpected(left ? taken.error() : left.error());
        }
    }
    return true;
}

// What the indexes leave of the block; false where nothing is left to be taken.
Result<bool> Scan::select(const Source& source, Slice& slice) {
    auto left = sealed_filter_.select(slice.log.txn(), source.block, descending_ ? source.first : at_,
                                      descending_ ? at_ : source.last);
    if (!left) {
        return std::unexpected(left.error());
    }
    if (!*left) {
        return false;
    }
    left_ = std::move(**left);
    const bool exact = !matcher_.needs_event() && left_->unsure.empty();
    if (!exact) {
        return true;
    }
    const auto taken = slice.taker.take_block(slice.log.txn(), *left_);
    return taken ? Result<bool>(!*taken) : taken;
}

bool Scan::wants_run(std::uint32_t run, const Taker& taker) const {
    const TimeRange range{left_->header.runs[run].min_us, left_->header.runs[run].max_us};
    return taker.may_want(range) && (!by_time_ || taker.can_improve(range));
}

// The first row that is left, from this one on in the scan's direction.
std::optional<std::uint32_t> Scan::sealed_row(std::optional<std::uint32_t> from) const {
    if (!from) {
        return std::nullopt;
    }
    return descending_ ? left_->rows.at_or_before(*from) : left_->rows.at_or_after(*from);
}

std::optional<std::uint32_t> Scan::row_beyond(std::uint32_t row) const {
    if (descending_) {
        return row == 0 ? std::nullopt : std::optional(row - 1);
    }
    return row + 1;
}

// Where a run is not wanted, those apart from its range still may be: the next of them, or the run after it. The row
// itself where it is one.
std::optional<std::uint32_t> Scan::outlier_beyond(std::uint32_t row) const {
    const auto& apart = left_->header.outliers;
    const std::uint32_t run = row / rows_per_run;
    if (descending_) {
        const auto after = std::ranges::upper_bound(apart, row, {}, &Outlier::row);
        const bool inside = after != apart.begin() && std::prev(after)->row >= run * rows_per_run;
        return inside ? std::optional(std::prev(after)->row) : row_beyond(run * rows_per_run);
    }
    const auto next = std::ranges::lower_bound(apart, row, {}, &Outlier::row);
    const std::uint32_t end = (run + 1) * rows_per_run;
    return next != apart.end() && next->row < end ? next->row : end;
}

Result<bool> Scan::take_sealed(std::uint32_t row, TimeReader& times, Slice& slice) {
    const auto time = times.at(row);
    if (!time) {
        return std::unexpected(time.error());
    }
    const Position position{*time, at_};
    if (!slice.taker.wants(position)) {
        return false;
    }
    if (matcher_.needs_event() || left_->is_unsure(row / rows_per_run) || slice.taker.needs_values()) {
        const auto event = slice.log.event(at_);
        if (!event) {
            return std::unexpected(event.error());
        }
        evaluated_ += rows_per_look / events_per_look;
        if (!filter_.matches(*event)) {
            return false;
        }
        if (slice.taker.needs_values()) {
            slice.taker.take_event(*event);
            return true;
        }
    }
    slice.taker.take(position);
    return true;
}

Result<bool> Scan::scan_sealed(const Source& source, Slice& slice) {
    if (left_) { // of an earlier slice
        const auto holds = SealedFilter::holds(slice.log.txn(), *left_);
        if (!holds) {
            return holds;
        }
        if (!*holds) {
            left_.reset();
        }
    }
    if (!left_ && cut_ && at_ == source.first) {
        const auto counted = take_counted(source, slice);
        if (!counted || *counted) {
            return counted;
        }
    }
    if (!left_) {
        const auto some = select(source, slice);
        if (!some || !*some) {
            return some ? Result<bool>(true) : some;
        }
    }
    TimeReader times(slice.log.txn(), source.block, left_->header);
    std::uint32_t run = UINT32_MAX;
    bool wanted = true;
    auto row = sealed_row(static_cast<std::uint32_t>(at_ - source.block));
    while (row) {
        at_ = source.block + *row;
        if (evaluated_ >= rows_per_look) {
            evaluated_ = 0;
            if (over(slice.end)) {
                return false;
            }
        }
        ++evaluated_;
        if (*row / rows_per_run != run) {
            run = *row / rows_per_run;
            wanted = wants_run(run, slice.taker);
        }
        if (const auto beyond = wanted ? row : outlier_beyond(*row); beyond != row) {
            row = sealed_row(beyond);
            continue;
        }
        if (const auto taken = take_sealed(*row, times, slice); !taken) {
            return taken;
        }
        if (slice.taker.full()) {
            return true;
        }
        row = sealed_row(row_beyond(*row));
    }
    return true;
}

} // namespace tocsin::storage
