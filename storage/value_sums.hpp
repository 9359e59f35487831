// SPDX-License-Identifier: Apache-2.0
// Sums by value, of blocks that mostly have the same values in the same order: what follows is compared with what
// followed in the block before, not looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

class ValueSums {
public:
    // A block: its values ascending, each once.
    void begin() { at_ = 0; }
    void add(std::string_view value, std::uint64_t count);
    void end();

    std::size_t size() const { return sums_.size(); }
    // Ascending; nothing is left.
    std::vector<std::pair<std::string, std::uint64_t>> take() { return std::exchange(sums_, {}); }

private:
    std::vector<std::pair<std::string, std::uint64_t>> sums_{};
    std::vector<std::pair<std::string, std::uint64_t>> fresh_{}; // of the block, not there before
    std::size_t at_ = 0;
};

} // namespace tocsin::storage
