// SPDX-License-Identifier: Apache-2.0
// The candidates of a query, in slices: blocks and the tail in the order in which they can hold what is asked, skipped
// by their time range where they cannot. A sealed block is asked by its indexes, others are read through. Late events
// are why a block is left only when no earlier row can be better.
#pragma once

#include "storage/hour_cut.hpp"
#include "storage/log_reader.hpp"
#include "storage/matcher.hpp"
#include "storage/reader_pool.hpp"
#include "storage/sealed_filter.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tocsin::storage {

struct Position {
    std::int64_t time_us = 0;
    std::uint64_t index = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

using StringOf = std::function<std::string_view(std::uint32_t code)>;

// Who collects what a scan finds.
class Taker {
public:
    virtual ~Taker() = default;
    // False where nothing in this time range can be wanted: it is skipped.
    virtual bool may_want(TimeRange) const { return true; }
    // False where neither this range nor one that comes later in the scan's order can be wanted: the scan ends.
    virtual bool can_improve(TimeRange) const { return true; }
    virtual bool wants(const Position&) const { return true; }
    virtual void take(const Position&) {}
    virtual bool full() const { return false; }

    // True where it wants what the rows hold: then these are called instead of take().
    virtual bool needs_values() const { return false; }
    virtual void take_row(const Columns&, std::size_t) {}
    virtual void take_event(const Event&) {}
    // What the codes of the rows so far stand for; those of later ones may stand for others.
    virtual void end_rows(const StringOf&) {}
    // Of a whole block, from what was counted when it was made: how much is in hours that are wanted in part, whose
    // rows are given to take_block() next.
    virtual Result<std::uint64_t> take_counted(const Txn&, ValueLists&, BlockPlace, const HourWindow&) { return 0; }
    // True where it took all rows of a sealed block that are left at once.
    virtual Result<bool> take_block(const Txn&, const SealedRows&) { return false; }
};

class Scan {
public:
    // Events with after < index ≤ upto. `filter` must outlive the scan.
    struct Part {
        std::uint64_t after = 0;
        std::uint64_t upto = 0;
    };
    Scan(const Filter& filter, View view, Order order, Part part);

    // The taker can take what blocks have counted of this dimension, which is all that the filter asks for.
    void use_counts(const OneDimension& dimension) { cut_ = HourCut::of(filter_, dimension); }
    // One slice; true when nothing is left.
    Result<bool> step(ReadContext& context, Taker& taker);
    // By index: all up to here was considered.
    std::uint64_t considered() const;
    // By time: all that comes before this moment in the scan's order was considered; none while nothing is left behind.
    std::optional<std::int64_t> considered_us() const;

private:
    struct Source {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        TimeRange range{};
        std::uint64_t block = 0; // first index of its block; 0: of the tail
        std::uint64_t block_last = 0;
    };
    struct Slice { // of one step
        LogReader& log;
        Taker& taker;
        ValueLists& values;
        std::chrono::steady_clock::time_point end;
    };
    void add_source(const Source& source);
    bool in_range(TimeRange range) const;
    Result<bool> scan_tail(const Source& source, Slice& slice);
    Result<bool> scan_log(const Source& source, Slice& slice);
    Result<bool> scan_sealed(const Source& source, Slice& slice);
    Result<bool> take_counted(const Source& source, Slice& slice);
    Result<bool> select(const Source& source, Slice& slice);
    Result<bool> take_sealed(std::uint32_t row, TimeReader& times, Slice& slice);
    bool wants_run(std::uint32_t run, const Taker& taker) const;
    std::optional<std::uint32_t> sealed_row(std::optional<std::uint32_t> from) const;
    std::optional<std::uint32_t> row_beyond(std::uint32_t row) const;
    std::optional<std::uint32_t> outlier_beyond(std::uint32_t row) const;
    void leave_source();
    // Rows of one block of columns from at_ on, in the scan's direction; false when the slice is over.
    struct Rows {
        const Columns& columns;
        std::uint64_t first; // index of row 0
        std::uint64_t low;
        std::uint64_t high;
    };
    template <typename String>
    Result<bool> visit(const Rows& rows, Slice& slice, Matcher::Memo& memo, const String& string);
    bool move_on(std::uint64_t low, std::uint64_t high);

    const Filter& filter_;
    Matcher matcher_;
    SealedFilter sealed_filter_;
    View view_;
    Part part_;
    std::unique_ptr<HourCut> cut_{};
    bool descending_;
    bool by_time_;
    std::vector<Source> sources_{};
    std::size_t source_ = 0;
    bool inside_ = false;  // of sources_[source_], at at_
    std::uint64_t at_ = 0; // index of the next row
    std::uint64_t evaluated_ = 0;
    std::optional<SealedRows> left_{}; // of sources_[source_], where it is sealed
    Matcher::Memo tail_memo_{};
    Matcher::Memo chunk_memo_{};
};

} // namespace tocsin::storage
