// SPDX-License-Identifier: Apache-2.0
// A set of rows of one block, one bit each: what a filter's conditions leave of it. 8 KiB for 65,536 rows, so that
// joining two of them costs less than deciding how else it could be done.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin::storage {

class RowSet {
public:
    explicit RowSet(std::uint32_t rows, bool all = false)
        : rows_(rows), words_((rows + 63) / 64, all ? ~std::uint64_t{0} : 0) {
        trim();
    }

    std::uint32_t rows() const { return rows_; }
    bool has(std::uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1U) != 0; }
    void add(std::uint32_t row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
    void remove(std::uint32_t row) { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
    // Rows low ≤ row < high.
    void add_range(std::uint32_t low, std::uint32_t high) {
        each_word(low, high, [this](std::size_t word, std::uint64_t mask) { words_[word] |= mask; });
    }
    void remove_range(std::uint32_t low, std::uint32_t high) {
        each_word(low, high, [this](std::size_t word, std::uint64_t mask) { words_[word] &= ~mask; });
    }
    // 64 rows at once; bits beyond the last row are dropped.
    void add_word(std::size_t word, std::uint64_t bits) {
        words_[word] |= bits;
        if (word + 1 == words_.size()) {
            trim();
        }
    }
    RowSet& operator&=(const RowSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] &= other.words_[i];
        }
        return *this;
    }

    RowSet& operator-=(const RowSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] &= ~other.words_[i];
        }
        return *this;
    }
    RowSet& operator|=(const RowSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] |= other.words_[i];
        }
        return *this;
    }

    std::uint32_t count() const {
        std::uint32_t sum = 0;
        for (const std::uint64_t word : words_) {
            sum += static_cast<std::uint32_t>(std::popcount(word));
        }
        return sum;
    }
    bool empty() const {
        return std::ranges::all_of(words_, [](std::uint64_t word) { return word == 0; });
    }
    // How many of 64 rows are in it.
    std::uint32_t count_word(std::size_t word, std::uint64_t bits) const {
        return static_cast<std::uint32_t>(std::popcount(words_[word] & bits));
    }
    std::uint32_t count_range(std::uint32_t low, std::uint32_t high) const {
        std::uint32_t sum = 0;
        each_word(low, high, [this, &sum](std::size_t word, std::uint64_t mask) { sum += count_word(word, mask); });
        return sum;
    }
    // The first row ≥ from.
    std::optional<std::uint32_t> at_or_after(std::uint32_t from) const {
        if (from >= rows_) {
            return std::nullopt;
        }
        std::size_t word = from / 64;
        std::uint64_t bits = words_[word] & (~std::uint64_t{0} << (from % 64));
        while (bits == 0) {
            if (++word == words_.size()) {
                return std::nullopt;
            }
            bits = words_[word];
        }
        return static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
    }
    // The last row ≤ from.
    std::optional<std::uint32_t> at_or_before(std::uint32_t from) const {
        if (rows_ == 0) {
            return std::nullopt;
        }
        from = std::min(from, rows_ - 1);
        std::size_t word = from / 64;
        std::uint64_t bits = words_[word] & (~std::uint64_t{0} >> (63 - from % 64));
        while (bits == 0) {
            if (word == 0) {
                return std::nullopt;
            }
            bits = words_[--word];
        }
        return static_cast<std::uint32_t>(word * 64) + 63 - static_cast<std::uint32_t>(std::countl_zero(bits));
    }

private:
    void trim() {
        if (rows_ % 64 != 0) {
            words_.back() &= ~(~std::uint64_t{0} << (rows_ % 64));
        }
    }
    template <typename Use> void each_word(std::uint32_t low, std::uint32_t high, const Use& use) const {
        high = std::min(high, rows_);
        while (low < high) {
            const std::uint32_t end = std::min(high, (low / 64 + 1) * 64);
            use(low / 64, (~std::uint64_t{0} >> (64 - (end - low))) << (low % 64));
            low = end;
        }
    }

    std::uint32_t rows_;
    std::vector<std::uint64_t> words_;
};

} // namespace tocsin::storage
