// SPDX-License-Identifier: Apache-2.0
#include "storage/grouping.hpp"

#include "core/hash.hpp"
#include "storage/block_build.hpp"
#include "storage/dictionary.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::size_t dense_combinations_max = 262'144; // of values: beyond it sums are kept by hash

// A code of a row in memory: a string's, or the number itself.
std::uint64_t code_of(const Columns& c, std::size_t row, Dimension dimension) {
    switch (dimension) {
    case Dimension::name:
        return c.name[row];
    case Dimension::source:
        return c.source[row];
    case Dimension::scid:
        return static_cast<std::uint64_t>(c.scid[row]);
    case Dimension::rule:
        return static_cast<std::uint64_t>(c.event_rule_id[row]);
    case Dimension::severity:
        return c.bits[row] & bits::severity_mask;
    case Dimension::environment:
        return c.environment[row];
    case Dimension::type:
        return (c.bits[row] & bits::dataset) != 0 ? static_cast<std::uint64_t>(EventType::dataset)
                                                  : static_cast<std::uint64_t>(EventType::standard);
    case Dimension::dataset:
        return c.event_id[row];
    case Dimension::host:
        return c.host[row];
    case Dimension::script:
        return (c.bits[row] & bits::spark_script) != 0 ? 1 : 0;
    case Dimension::hour:
        return hour_of(c.event_time_us[row]);
    case Dimension::uid: // in sealed blocks alone, for retention
        break;
    }
    return 0;
}

std::string value_of(Dimension dimension, std::uint64_t code, const StringOf& string) {
    switch (dimension) {
    case Dimension::scid:
    case Dimension::rule:
        return number_value(static_cast<std::int64_t>(code));
    case Dimension::severity:
    case Dimension::type:
    case Dimension::script:
        return small_value(static_cast<std::uint8_t>(code));
    case Dimension::hour:
        return hour_value(static_cast<std::uint32_t>(code));
    default:
        return std::string(string(static_cast<std::uint32_t>(code)));
    }
}

} // namespace

Grouping::Grouping(std::vector<Dimension> by, std::size_t room, std::optional<Key> after)
    : by_(std::move(by)), room_(room), after_(std::move(after)) {}

std::size_t Grouping::CodesHash::operator()(const Codes& codes) const {
    return hash_mix(hash_mix(codes.code[0], codes.code[1]), codes.code[2] ^ (codes.no_rule ? 1U : 0U));
}

void Grouping::add(Key key, std::uint64_t count) {
    if (after_ && key <= *after_) {
        return;
    }
    const auto at = sums_.lower_bound(key);
    if (at != sums_.end() && at->first == key) {
        at->second += count;
        return;
    }
    if (sums_.size() < room_) {
        sums_.emplace_hint(at, std::move(key), count);
        return;
    }
    overflowed_ = true;
    // What is put out once is larger than all that is kept from then on, so it never comes back with a part of its sum.
    if (at != sums_.end()) {
        sums_.emplace_hint(at, std::move(key), count);
        sums_.erase(std::prev(sums_.end()));
    }
}

// ---- rows in memory ----

void Grouping::take_row(const Columns& columns, std::size_t row) {
    Codes codes{};
    for (std::size_t i = 0; i < by_.size(); ++i) {
        const bool none = by_[i] == Dimension::rule && (columns.bits[row] & bits::event_rule_id) == 0;
        codes.code[i] = none ? 0 : code_of(columns, row, by_[i]);
        codes.no_rule = codes.no_rule || none;
    }
    raw_[codes] += columns.count[row];
}

void Grouping::end_rows(const StringOf& string) {
    for (const auto& [codes, count] : raw_) {
        Key key;
        for (std::size_t i = 0; i < by_.size(); ++i) {
            const bool none = by_[i] == Dimension::rule && codes.no_rule;
            key.push_back(none ? std::string{} : value_of(by_[i], codes.code[i], string));
        }
        add(std::move(key), count);
    }
    raw_.clear();
}

void Grouping::take_event(const Event& event) {
    Key key;
    std::string space;
    for (const Dimension dimension : by_) {
        key.emplace_back(value_of(event, dimension, space).value_or(std::string_view{}));
    }
    add(std::move(key), event.count);
}

// ---- sealed blocks ----

// All rows of a block that stand for one event each, by one dimension: the dictionary says how many there are.
Result<void> Grouping::take_whole(const Txn& txn, BlockPlace block) {
    DictionaryReader dictionary(txn, block, by_.front());
    std::uint64_t met = 0;
    auto there = dictionary.seek({});
    for (; there && *there; there = dictionary.next()) {
        met += dictionary.posting().rows;
        add({std::string(dictionary.value())}, dictionary.posting().rows);
    }
    if (there && met < block.rows) {
        add({std::string{}}, block.rows - met);
    }
    return there ? Result<void>{} : std::unexpected(there.error());
}

// All rows of a block by hour and one dimension that every row has: as the block's own sums say.
Result<void> Grouping::take_hours(const Txn& txn, BlockPlace block, Dimension dimension) {
    std::vector<std::string> values;
    DictionaryReader dictionary(txn, block, dimension);
    auto there = dictionary.seek({});
    for (; there && *there; there = dictionary.next()) {
        values.emplace_back(dictionary.value());
    }
    if (!there) {
        return std::unexpected(there.error());
    }
    bool whole = true;
    const auto done = each_sum(txn, block.first, dimension,
                               [this, &values, &whole](std::uint32_t ordinal, std::uint32_t hour, std::uint64_t sum) {
                                   whole = whole && ordinal < values.size();
                                   if (whole) {
                                       add({hour_value(hour), values[ordinal]}, sum);
                                   }
                               });
    return done && !whole ? sealed_damaged(index_key(block.first), "sums") : done;
}

Result<bool> Grouping::take_block(const Txn& txn, const SealedRows& left) {
    const bool whole = left.rows.count() == left.block.rows;
    if (whole && by_.size() == 2 && by_[0] == Dimension::hour && by_[1] != Dimension::rule) {
        const auto taken = take_hours(txn, left.block, by_[1]);
        return taken ? Result<bool>(true) : std::unexpected(taken.error());
    }
    const auto weights = read_weights(txn, left.block.first);
    if (!weights) {
        return std::unexpected(weights.error());
    }
    if (whole && by_.size() == 1 && weights->empty()) {
        const auto taken = take_whole(txn, left.block);
        return taken ? Result<bool>(true) : std::unexpected(taken.error());
    }
    std::vector<CodedRows> coded;
    std::size_t combinations = 1;
    for (const Dimension dimension : by_) {
        auto one = read_codes(txn, left.block, dimension);
        if (!one) {
            return std::unexpected(one.error());
        }
        combinations *= one->values.size();
        coded.push_back(std::move(*one));
    }
    take_coded(left, *weights, coded, combinations);
    return true;
}

void Grouping::take_coded(const SealedRows& left, const Weights& weights, const std::vector<CodedRows>& coded,
                          std::size_t combinations) {
    const auto each = [&left, &weights, &coded](const auto& use) {
        auto weight = weights.begin();
        for (auto row = left.rows.at_or_after(0); row; row = left.rows.at_or_after(*row + 1)) {
            std::size_t combination = 0;
            for (const CodedRows& one : coded) {
                combination = combination * one.values.size() + one.codes[*row];
            }
            weight = std::find_if(weight, weights.end(), [&row](const auto& w) { return w.first >= *row; });
            use(combination, weight != weights.end() && weight->first == *row ? weight->second : 1);
        }
    };
    const auto keep = [this, &coded](std::size_t combination, std::uint64_t count) {
        Key key(coded.size());
        for (std::size_t i = coded.size(); i-- > 0;) {
            key[i] = coded[i].values[combination % coded[i].values.size()];
            combination /= coded[i].values.size();
        }
        add(std::move(key), count);
    };
    if (combinations <= dense_combinations_max) {
        std::vector<std::uint64_t> sums(combinations, 0);
        each([&sums](std::size_t combination, std::uint64_t count) { sums[combination] += count; });
        for (std::size_t combination = 0; combination < combinations; ++combination) {
            if (sums[combination] != 0) {
                keep(combination, sums[combination]);
            }
        }
        return;
    }
    std::unordered_map<std::size_t, std::uint64_t> sums;
    each([&sums](std::size_t combination, std::uint64_t count) { sums[combination] += count; });
    for (const auto& [combination, count] : sums) {
        keep(combination, count);
    }
}

} // namespace tocsin::storage
