// SPDX-License-Identifier: Apache-2.0
// Sums of `count` by the values of one to three dimensions, of whatever a scan finds: rows in memory by their codes,
// sealed blocks by their indexes. Values are spelled as in dictionaries, so their bytes have the order of their
// meaning.
#pragma once

#include "storage/block_times.hpp"
#include "storage/one_dimension.hpp"
#include "storage/scan.hpp"
#include "storage/value_sums.hpp"
#include "storage/weights.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t group_keys_max = 3;

class Grouping final : public Taker {
public:
    using Key = std::vector<std::string>; // one value a dimension; "" where there is none

    // At most `room` sums are kept, those of the smallest keys behind `after`. The filter, of what is grouped, must
    // outlive this.
    Grouping(const Filter& filter, std::vector<Dimension> by, std::size_t room, std::optional<Key> after = {});

    // What blocks have counted is enough: the filter asks for nothing else than what is grouped by.
    const std::optional<OneDimension>& one() const { return one_; }

    bool needs_values() const override { return true; }
    void take_row(const Columns& columns, std::size_t row) override;
    void take_event(const Event& event) override;
    void end_rows(const StringOf& string) override;
    Result<std::uint64_t> take_counted(const Txn& txn, ValueLists& lists, BlockPlace block,
                                       const HourWindow& window) override;
    Result<bool> take_block(const Txn& txn, const SealedRows& left) override;
    // After all blocks, or the sums are not whole.
    void settle();

    void add(Key key, std::uint64_t count);
    // More keys were met than there is room for.
    bool overflowed() const { return overflowed_; }
    const std::map<Key, std::uint64_t>& sums() const { return sums_; }

private:
    struct Codes {
        std::array<std::uint64_t, group_keys_max> code{};
        bool no_rule = false;
        friend bool operator==(const Codes&, const Codes&) = default;
    };
    struct CodesHash {
        std::size_t operator()(const Codes& codes) const;
    };
    bool by_hour() const { return by_.size() == 2 && by_.front() == Dimension::hour; }
    bool is_beyond(std::uint32_t hour) const;
    std::uint64_t count_one(const HourSums& sums, const HourWindow& window, const std::string& value);
    Result<std::uint64_t> count_values(const Txn& txn, BlockPlace block, const HourWindow& window,
                                       const ValueList& values);
    Result<std::uint64_t> count_absent(const Txn& txn, BlockPlace block, const HourWindow& window, std::uint64_t there);
    Result<std::uint64_t> count_hours(const Txn& txn, BlockPlace block, const HourWindow& window,
                                      const ValueList& values);
    Result<void> count_rows_by(const Txn& txn, const SealedRows& left);
    void take_coded(const SealedRows& left, const Weights& weights, const std::vector<CodedRows>& coded,
                    std::size_t combinations);

    std::vector<Dimension> by_;
    std::vector<std::optional<std::string>> only_{}; // the one value that the filter leaves of each
    std::optional<OneDimension> one_{};
    ValueSums counted_{}; // by one dimension
    std::size_t room_;
    std::optional<Key> after_;
    bool overflowed_ = false;
    std::map<Key, std::uint64_t> sums_{};
    std::unordered_map<Codes, std::uint64_t, CodesHash> raw_{}; // of rows in memory
};

} // namespace tocsin::storage
