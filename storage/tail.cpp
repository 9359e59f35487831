// SPDX-License-Identifier: Apache-2.0
#include "storage/tail.hpp"

#include "core/hash.hpp"

#include <algorithm>
#include <cstring>

namespace tocsin::storage {

namespace {
constexpr std::size_t arena_bytes = 64 * limits::KiB;
constexpr std::size_t strings_per_row = 5; // name, source, environment, dataset, host
} // namespace

// ---- StringStore ----

StringStore::StringStore(std::size_t capacity) : pages_((capacity + page_size - 1) / page_size) {}

std::string_view StringStore::keep(std::string_view text) {
    if (arenas_.empty() || arenas_.back().size - used_ < text.size()) {
        const std::size_t size = std::max(arena_bytes, text.size());
        arenas_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
        bytes_ += size;
        used_ = 0;
    }
    char* place = arenas_.back().memory.get() + used_;
    if (!text.empty()) {
        std::memcpy(place, text.data(), text.size());
    }
    used_ += text.size();
    return {place, text.size()};
}

std::uint32_t StringStore::intern(std::string_view text) {
    const std::uint64_t hash = hash64(text);
    const auto same = [this, text](std::uint32_t code) { return at(code) == text; };
    if (const std::uint32_t known = table_.find(hash, same); known != no_code) {
        return known;
    }
    auto& page = pages_[count_ / page_size];
    if (!page) {
        page = std::make_unique<TextPage>();
        bytes_ += sizeof(TextPage);
    }
    (*page)[count_ % page_size] = keep(text);
    table_.insert(hash, ++count_);
    return count_;
}

void StringStore::rollback(const Mark& mark) {
    if (count_ == mark.count) {
        return;
    }
    while (arenas_.size() > mark.arenas) {
        bytes_ -= arenas_.back().size;
        arenas_.pop_back();
    }
    used_ = mark.used;
    count_ = mark.count;
    table_.clear();
    for (std::uint32_t code = 1; code <= count_; ++code) {
        table_.insert(hash64(at(code)), code);
    }
}

// ---- Segment ----

Segment::Segment(std::uint64_t first, std::size_t capacity)
    : first_(first),
      capacity_(capacity),
      blocks_((capacity + rows_per_chunk - 1) / rows_per_chunk),
      strings_(capacity * strings_per_row) {}

void Segment::append(const Event& event) {
    const std::size_t number = rows_ / rows_per_chunk;
    const std::size_t row = rows_ % rows_per_chunk;
    if (number == filled_) {
        blocks_[number] = std::make_unique<Block>();
        ++filled_;
    }
    Block& block = *blocks_[number];
    Columns& c = block.columns;
    c.event_time_us[row] = event.event_time_us;
    c.received_time_us[row] = event.received_time_us;
    c.scid[row] = event.scid;
    c.event_rule_id[row] = event.event_rule_id.value_or(0);
    c.bits[row] = (static_cast<std::uint32_t>(event.severity) & bits::severity_mask) |
                  (event.event_type == EventType::dataset ? bits::dataset : 0U) |
                  (event.event_rule_id ? bits::event_rule_id : 0U);
    c.name[row] = intern(last_.name, event.event_name);
    c.source[row] = intern(last_.source, event.event_src);
    c.environment[row] = intern(last_.environment, event.environment);
    c.event_id[row] = intern(last_.event_id, event.event_id);
    c.host[row] = intern(last_.host, event.host);
    c.count[row] = static_cast<std::uint32_t>(event.count);
    const auto relaxed = std::memory_order_relaxed;
    block.min_us.store(std::min(block.min_us.load(relaxed), event.event_time_us), relaxed);
    block.max_us.store(std::max(block.max_us.load(relaxed), event.event_time_us), relaxed);
    ++rows_;
}

// Most values follow themselves: then nothing is looked up.
std::uint32_t Segment::intern(std::uint32_t& last, std::string_view text) {
    if (text.empty()) {
        return no_code;
    }
    if (last == no_code || strings_.at(last) != text) {
        last = strings_.intern(text);
    }
    return last;
}

void Segment::rollback(const Mark& mark) {
    rows_ = mark.rows; // ranges may stay too wide: that costs a look, never an event
    last_ = {};
    strings_.rollback(mark.strings);
}

std::size_t Segment::bytes() const {
    return filled_ * sizeof(Block) + strings_.bytes();
}

TimeRange Segment::range(std::size_t block) const {
    const auto relaxed = std::memory_order_relaxed;
    return {blocks_[block]->min_us.load(relaxed), blocks_[block]->max_us.load(relaxed)};
}

} // namespace tocsin::storage
