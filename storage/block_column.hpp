// SPDX-License-Identifier: Apache-2.0
// One dimension of a block while its rows come in: for each row a code of its value. A value is looked up as seldom as
// can be: not where it follows itself, and once for each chunk of the log that holds it.
#pragma once

#include "core/hash.hpp"
#include "storage/chunk_codec.hpp"
#include "storage/code_table.hpp"
#include "storage/dictionary.hpp"
#include "storage/tail.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

class BlockColumn {
public:
    explicit BlockColumn(std::uint32_t rows) : values_(rows) { codes_.reserve(rows); }

    void put_none() { codes_.push_back(no_code); }
    void put(std::string_view text) {
        if (last_ == no_code || values_.at(last_) != text) {
            last_ = values_.intern(text);
        }
        codes_.push_back(last_);
    }
    // Numbers are spelled when they are new. A column holds texts or numbers, never both.
    template <typename Number> void put(Number number, std::string (*spell)(Number)) {
        const auto same_bits = static_cast<std::uint64_t>(number);
        if (last_ == no_code || last_number_ != same_bits) {
            last_ = code_of(same_bits, number, spell);
            last_number_ = same_bits;
        }
        codes_.push_back(last_);
    }

    // The rows that come by chunk are of this one from now on.
    void follow(const ChunkReader& chunk) { of_chunk_.assign(chunk.strings().size(), no_code); }
    // By the chunk's code; false where the text is too long for a dictionary.
    bool put(const ChunkReader& chunk, std::uint32_t code) {
        std::uint32_t& mine = of_chunk_[code];
        if (mine == no_code) {
            const std::string_view text = chunk.strings()[code];
            if (text.size() > dictionary_value_max) {
                return false;
            }
            mine = values_.intern(text);
        }
        codes_.push_back(mine);
        return true;
    }

    const StringStore& values() const { return values_; }
    const std::vector<std::uint32_t>& codes() const { return codes_; }

private:
    template <typename Number>
    std::uint32_t code_of(std::uint64_t same_bits, Number number, std::string (*spell)(Number)) {
        const std::uint64_t hash = hash_mix(same_bits, 0); // one-to-one: no two numbers have the same
        std::uint32_t code = numbers_.find(hash, [](std::uint32_t) { return true; });
        if (code == no_code) {
            code = values_.intern(spell(number));
            numbers_.insert(hash, code);
        }
        return code;
    }

    StringStore values_;
    std::vector<std::uint32_t> codes_{};
    std::uint32_t last_ = no_code; // given; most values follow themselves
    std::uint64_t last_number_ = 0;
    CodeTable numbers_{};
    std::vector<std::uint32_t> of_chunk_{}; // by the chunk's code: the code here
};

} // namespace tocsin::storage
