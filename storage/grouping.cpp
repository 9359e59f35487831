// SPDX-License-Identifier: Apache-2.0
#include "storage/grouping.hpp"

#include "core/hash.hpp"
#include "storage/block_build.hpp"
#include "storage/dictionary.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
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

Grouping::Grouping(const Filter& filter, std::vector<Dimension> by, std::size_t room, std::optional<Key> after)
    : by_(std::move(by)), room_(room), after_(std::move(after)) {
    std::ranges::transform(by_, std::back_inserter(only_),
                           [&filter](Dimension dimension) { return only_value(filter, dimension); });
    if (by_.size() == 1 || by_hour()) {
        one_ = OneDimension::of(filter, by_.back());
    }
}

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

// All that is kept is of earlier hours.
bool Grouping::is_beyond(std::uint32_t hour) const {
    return sums_.size() == room_ && !sums_.empty() && hour_value(hour) > sums_.rbegin()->first.front();
}

Result<std::uint64_t> Grouping::take_counted(const Txn& txn, ValueLists& lists, BlockPlace block,
                                             const HourWindow& window) {
    const auto values = lists.of(txn, block, by_.back());
    if (!values) {
        return std::unexpected(values.error());
    }
    if (by_hour()) {
        return count_hours(txn, block, window, **values);
    }
    if (!only_.front()) {
        return count_values(txn, block, window, **values);
    }
    const auto ordinal = (*values)->find(*only_.front());
    if (!ordinal || !one_->wants(*only_.front())) { // a severity below the least that is asked for
        return 0;
    }
    const auto sums = read_sums(txn, block.first, by_.front(), *ordinal);
    return sums ? Result<std::uint64_t>(count_one(*sums, window, *only_.front())) : std::unexpected(sums.error());
}

std::uint64_t Grouping::count_one(const HourSums& sums, const HourWindow& window, const std::string& value) {
    std::uint64_t whole = 0;
    std::uint64_t in_part = 0;
    for (const auto& [hour, sum] : sums) {
        whole += window.has(hour) ? sum : 0;
        in_part += window.has_part(hour) ? sum : 0;
    }
    if (whole != 0) {
        counted_.begin();
        counted_.add(value, whole);
        counted_.end();
    }
    return in_part;
}

Result<std::uint64_t> Grouping::count_values(const Txn& txn, BlockPlace block, const HourWindow& window,
                                             const ValueList& values) {
    std::vector<std::uint64_t> sums(values.size(), 0);
    const auto in_part = add_sums(txn, block.first, by_.front(), window, sums);
    if (!in_part) {
        return in_part;
    }
    std::uint64_t met = 0;
    counted_.begin();
    for (std::size_t ordinal = 0; ordinal < sums.size(); ++ordinal) {
        met += sums[ordinal];
        if (sums[ordinal] != 0 && one_->wants(values.at(ordinal))) {
            counted_.add(values.at(ordinal), sums[ordinal]);
        }
    }
    counted_.end();
    if (counted_.size() > room_) {
        settle();
    }
    const bool may_lack = by_.front() == Dimension::rule && one_->wants_all();
    return may_lack ? count_absent(txn, block, window, met) : in_part;
}

// Rows may have no rule, but each has a severity: what is in hours that are wanted in part is known by that.
Result<std::uint64_t> Grouping::count_absent(const Txn& txn, BlockPlace block, const HourWindow& window,
                                             std::uint64_t there) {
    std::vector<std::uint64_t> all(4, 0);
    const auto in_part = add_sums(txn, block.first, Dimension::severity, window, all);
    const std::uint64_t sum = std::accumulate(all.begin(), all.end(), std::uint64_t{0});
    if (in_part && sum > there) {
        add({std::string{}}, sum - there);
    }
    return in_part;
}

Result<std::uint64_t> Grouping::count_hours(const Txn& txn, BlockPlace block, const HourWindow& window,
                                            const ValueList& values) {
    std::vector<bool> wanted(values.size());
    for (std::size_t ordinal = 0; ordinal < wanted.size(); ++ordinal) {
        wanted[ordinal] = one_->wants(values.at(ordinal));
    }
    bool known = true;
    std::uint64_t in_part = 0;
    const auto take = [this, &values, &wanted, &window, &known, &in_part](std::uint32_t ordinal, std::uint32_t hour,
                                                                          std::uint64_t sum) {
        known = known && ordinal < values.size();
        in_part += window.has_part(hour) ? sum : 0;
        if (!known || !window.has(hour) || !wanted[ordinal]) {
            return;
        }
        if (is_beyond(hour)) {
            overflowed_ = true;
        } else {
            add({hour_value(hour), std::string(values.at(ordinal))}, sum);
        }
    };
    const auto done = each_sum(txn, block.first, by_.back(), take);
    if (!done) {
        return std::unexpected(done.error());
    }
    return known ? Result<std::uint64_t>(in_part) : sealed_damaged(index_key(block.first), "sums");
}

void Grouping::settle() {
    for (auto& [value, count] : counted_.take()) {
        add({std::move(value)}, count);
    }
}

// Rows that stand for one event each, by one dimension.
Result<void> Grouping::count_rows_by(const Txn& txn, const SealedRows& left) {
    std::uint64_t absent = left.rows.count();
    counted_.begin();
    DictionaryReader dictionary(txn, left.block, by_.front());
    auto there = dictionary.seek({});
    for (; there && *there; there = dictionary.next()) {
        const auto rows = count_rows(dictionary.posting(), left.rows);
        if (!rows || *rows > absent) {
            return sealed_damaged(index_key(left.block.first), "a posting");
        }
        if (*rows != 0) {
            counted_.add(dictionary.value(), *rows);
        }
        absent -= *rows;
    }
    counted_.end();
    if (there && absent != 0) {
        add({std::string{}}, absent);
    }
    if (counted_.size() > room_) {
        settle();
    }
    return there ? Result<void>{} : std::unexpected(there.error());
}

Result<bool> Grouping::take_block(const Txn& txn, const SealedRows& left) {
    const auto weights = read_weights(txn, left.block.first);
    if (!weights) {
        return std::unexpected(weights.error());
    }
    if (by_.size() == 1 && !only_.front() && weights->empty()) {
        const auto counted = count_rows_by(txn, left);
        return counted ? Result<bool>(true) : std::unexpected(counted.error());
    }
    std::vector<CodedRows> coded;
    std::size_t combinations = 1;
    for (std::size_t i = 0; i < by_.size(); ++i) {
        auto one = only_[i] ? Result<CodedRows>(CodedRows{.values = {*only_[i]}}) : read_codes(txn, left.block, by_[i]);
        if (!one) {
            return std::unexpected(one.error());
        }
        combinations *= one->values.size();
        coded.push_back(std::move(*one));
    }
    if (combinations == 1 && weights->empty()) {
        Key key;
        std::ranges::transform(coded, std::back_inserter(key), [](const CodedRows& one) { return one.values.front(); });
        add(std::move(key), left.rows.count());
        return true;
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
                combination = combination * one.values.size() + (one.codes.empty() ? 0 : one.codes[*row]);
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
