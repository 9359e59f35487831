// SPDX-License-Identifier: Apache-2.0
// Makes a value of the log, from events or from rows of other values.
#pragma once

#include "core/event.hpp"
#include "storage/chunk_codec.hpp"
#include "storage/code_table.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

class ChunkWriter {
public:
    // Whether the event still fits; the first always does.
    bool fits(const Event& event) const;
    void add(const Event& event);
    // The stored rows that are added from now on are of this chunk: each of its strings is looked up once.
    void follow(const ChunkReader& chunk);
    bool fits(const StoredRow& stored) const;
    void add(const StoredRow& stored);
    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    // The value to store under `first`. Valid until the next call; the writer is empty again.
    std::string_view seal(std::uint64_t first);
    void clear();

private:
    // Fields whose strings go into the dictionary; the newest of each is compared first.
    enum class Field : std::size_t { name, source, environment, host, event_id, spark_script, event_rule, origin };
    static constexpr std::size_t fields = 8;
    struct Last {
        std::size_t offset = 0;
        std::size_t size = 0;
        std::uint32_t code = no_code;
    };
    struct Text {
        std::size_t offset;
        std::size_t size;
    };
    struct Row {
        std::uint32_t bits = 0;
        std::int64_t event_time_us = 0;
        std::int64_t received_time_us = 0;
        std::uint32_t name = no_code;
        std::uint32_t source = no_code;
        std::uint32_t environment = no_code;
        std::uint32_t host = no_code;
        std::uint32_t event_id = no_code;
        std::uint32_t spark_script = no_code;
        std::int64_t scid = 0;
        std::int64_t event_rule_id = 0;
        std::uint64_t count = 1;
    };
    bool has_room(std::size_t bytes) const;
    std::uint32_t intern(Field field, std::string_view text);
    std::uint32_t intern(std::string_view text);
    std::uint32_t append_text(std::string_view text);
    std::uint32_t intern_origin(const Origin& origin);
    std::uint32_t take_over(const ChunkReader& chunk, std::uint32_t code);
    void add_body(const Event& event, std::uint32_t set);
    void add_row(const Row& row, std::size_t body);
    std::string_view text_at(std::size_t offset, std::size_t size) const { return {dictionary_.data() + offset, size}; }

    std::size_t count_ = 0;
    std::int64_t min_us_ = 0;
    std::int64_t max_us_ = 0;
    std::int64_t base_us_ = 0; // event_time of the first row: where the differences start
    std::int64_t last_event_us_ = 0;
    std::int64_t last_received_us_ = 0;
    std::string dictionary_{}; // length-prefixed strings, as stored
    std::vector<Text> texts_{};
    CodeTable codes_{};
    std::size_t looked_up_ = 0;          // texts that codes_ knows: the first ones
    std::vector<std::uint32_t> taken_{}; // by the code of the chunk that is followed: the code here
    bool of_one_chunk_ = false;          // all texts are of the chunk that is followed
    std::array<Last, fields> last_{};
    Origin last_origin_{};
    std::uint32_t last_origin_code_ = no_code;
    std::string rows_{};
    std::string bodies_{};
    std::string scratch_{};
    std::string value_{};
};

} // namespace tocsin::storage
