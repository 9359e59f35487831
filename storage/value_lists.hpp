// SPDX-License-Identifier: Apache-2.0
// The values of sealed blocks in memory, by dimension: a question that sums by one of them need not read the rows of
// each value only to see what it is called. Bounded; blocks that have the same values as one before share them.
#pragma once

#include "storage/blocks.hpp"
#include "storage/keys.hpp"
#include "storage/lmdb_env.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t value_lists_bytes_max = 4ULL << 20; // in memory; then all begins anew
inline constexpr std::size_t value_list_bytes_max = value_lists_bytes_max / 16;

// By ordinal, ascending.
class ValueList {
public:
    void add(std::string_view value) {
        text_ += value;
        ends_.push_back(static_cast<std::uint32_t>(text_.size()));
    }
    std::size_t size() const { return ends_.size(); }
    std::string_view at(std::size_t ordinal) const {
        const std::size_t begin = ordinal == 0 ? 0 : ends_[ordinal - 1];
        return std::string_view(text_).substr(begin, ends_[ordinal] - begin);
    }
    std::optional<std::uint32_t> find(std::string_view value) const;
    std::size_t bytes() const { return text_.size() + ends_.size() * sizeof(std::uint32_t); }
    friend bool operator==(const ValueList&, const ValueList&) = default;

private:
    std::string text_{};
    std::vector<std::uint32_t> ends_{};
};

class ValueLists {
public:
    // Of a block of which nothing has gone. May be called by many threads.
    Result<std::shared_ptr<const ValueList>> of(const Txn& txn, BlockPlace block, Dimension dimension);
    // That they take now.
    std::size_t bytes();

private:
    void keep(BlockPlace block, Dimension dimension, std::shared_ptr<const ValueList>& list);

    std::mutex mutex_;
    std::map<std::pair<Dimension, std::uint64_t>, std::shared_ptr<const ValueList>> lists_{}; // by first index
    std::map<Dimension, std::shared_ptr<const ValueList>> last_{};                            // that was not shared
    std::size_t bytes_ = 0;
};

} // namespace tocsin::storage
