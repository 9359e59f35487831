// SPDX-License-Identifier: Apache-2.0
// The filter of every query, stream and subscription: its keys, how they are read from D-Bus and HTTP, and the slow
// obvious matcher that answers "does this event belong?". Engines must agree with matches(); tests compare them.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/expression.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class Order : std::uint8_t { newest, oldest, index }; // newest/oldest by (event_time, unique_index)
std::string_view to_string(Order order);

struct NamePattern {
    std::string text; // unescaped
    bool prefix = false;
    bool matches(std::string_view name) const { return prefix ? name.starts_with(text) : name == text; }
    friend bool operator==(const NamePattern&, const NamePattern&) = default;
};
// A trailing * is a prefix, \* a literal star, \\ a backslash.
NamePattern parse_name_pattern(std::string_view text);

// Values of one key are alternatives; different keys must all hold. Empty means "any".
struct Filter {
    std::optional<std::int64_t> since_us{};          // event_time >=
    std::optional<std::int64_t> until_us{};          // event_time <
    std::optional<std::int64_t> received_since_us{}; // received_time >=
    std::optional<std::int64_t> received_until_us{}; // received_time <
    std::vector<NamePattern> event_name{};
    std::vector<std::string> event_src{};
    std::vector<std::int64_t> scid{};
    std::vector<std::int64_t> event_rule_id{};
    std::vector<Severity> severity{};
    std::optional<Severity> min_severity{};
    std::vector<std::string> environment{};
    std::vector<EventType> event_type{};
    std::vector<std::string> event_id{};
    std::vector<std::string> host{};
    std::optional<bool> has_report{}; // spark_report_id > 0
    std::vector<std::string> text{};  // substring of the summary, or of a key or value of the payload
    std::vector<std::shared_ptr<const Expression>> where{}; // alternatives, as everywhere
    Order order = Order::newest;

    bool matches(const Event& event) const;
    // True where nothing but the order is set: every event matches.
    bool empty() const;
    // Identity of what is asked, order included, for cursors. Stable across processes.
    std::uint64_t hash() const;
};

// Reads a filter from (key, value) pairs in any order; a key may come again. Strings of HTTP parameters and typed
// values of D-Bus are both taken. Unknown keys and wrong values are invalid_argument naming the key.
class FilterBuilder {
public:
    explicit FilterBuilder(const Zone& zone) : zone_(zone) {}
    void add(std::string_view key, const Scalar& value);
    Result<Filter> finish();

private:
    void refuse(std::string_view key, std::string reason);
    const Zone& zone_;
    Filter filter_{};
    std::uint64_t seen_ = 0;
    std::optional<Error> error_{};
};

const std::vector<std::string_view>& filter_keys();

// Where a page of a query ended. `snapshot` is the highest index when the first page was made: later events never
// enter.
struct PageCursor {
    std::int64_t time_us = 0;
    std::uint64_t index = 0;
    std::uint64_t snapshot = 0;
    std::uint64_t filter_hash = 0;
    std::string encode() const; // opaque, URL-safe
    // invalid_argument when it was not made by encode() or belongs to another filter.
    static Result<PageCursor> decode(std::string_view text, std::uint64_t filter_hash);
};

} // namespace tocsin
