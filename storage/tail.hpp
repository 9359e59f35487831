// SPDX-License-Identifier: Apache-2.0
// The newest events as columns in memory: appended by the writer alone, read by queries without locks up to the number
// of rows that was published to them. Addresses never move. What a failed commit appended is taken back; nobody has
// seen it.
#pragma once

#include "core/event.hpp"
#include "storage/code_table.hpp"
#include "storage/columns.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin::storage {

// Strings by code, never moved. at() may be called for every code that a published row holds.
class StringStore {
public:
    explicit StringStore(std::size_t capacity);

    struct Mark {
        std::uint32_t count = 0;
        std::size_t arenas = 0;
        std::size_t used = 0; // of the last arena
    };
    std::uint32_t intern(std::string_view text);
    Mark mark() const { return {count_, arenas_.size(), used_}; }
    void rollback(const Mark& mark);
    std::uint32_t count() const { return count_; } // codes are 1..count
    std::size_t bytes() const { return bytes_ + table_.bytes(); }

    std::string_view at(std::uint32_t code) const {
        return code == no_code ? std::string_view{} : (*pages_[(code - 1) / page_size])[(code - 1) % page_size];
    }

private:
    static constexpr std::size_t page_size = 1'024;
    using TextPage = std::array<std::string_view, page_size>;
    std::string_view keep(std::string_view text);

    std::vector<std::unique_ptr<TextPage>> pages_; // as many as there can ever be; filled in order
    struct Arena {
        std::unique_ptr<char[]> memory;
        std::size_t size = 0;
    };
    std::vector<Arena> arenas_{};
    std::size_t used_ = 0;
    std::size_t bytes_ = 0;
    std::uint32_t count_ = 0;
    CodeTable table_;
};

// What a segment knows about 1,024 of its rows before looking: wide enough for every published row.
struct TimeRange {
    std::int64_t min_us = INT64_MAX;
    std::int64_t max_us = INT64_MIN;
};

class Segment {
public:
    // Room for `capacity` rows; the first has index `first`.
    Segment(std::uint64_t first, std::size_t capacity);

    // ---- the writer's ----
    struct Mark {
        std::size_t rows = 0;
        StringStore::Mark strings{};
    };
    void append(const Event& event);
    Mark mark() const { return {rows_, strings_.mark()}; }
    void rollback(const Mark& mark);
    std::size_t rows() const { return rows_; }
    std::size_t room() const { return capacity_ - rows_; }
    std::size_t bytes() const;

    // ---- everybody's, for published rows ----
    std::uint64_t first() const { return first_; }
    const Columns& columns(std::size_t block) const { return blocks_[block]->columns; }
    TimeRange range(std::size_t block) const;
    std::string_view string(std::uint32_t code) const { return strings_.at(code); }

private:
    struct Block {
        Columns columns;
        std::atomic<std::int64_t> min_us{INT64_MAX};
        std::atomic<std::int64_t> max_us{INT64_MIN};
    };
    struct Last { // codes given
        std::uint32_t name = no_code;
        std::uint32_t source = no_code;
        std::uint32_t environment = no_code;
        std::uint32_t event_id = no_code;
        std::uint32_t host = no_code;
    };
    std::uint32_t intern(std::uint32_t& last, std::string_view text);

    std::uint64_t first_;
    std::size_t capacity_;
    std::size_t rows_ = 0;
    std::vector<std::unique_ptr<Block>> blocks_; // as many as there can ever be; filled in order
    std::size_t filled_ = 0;
    StringStore strings_;
    Last last_{};
};

} // namespace tocsin::storage
