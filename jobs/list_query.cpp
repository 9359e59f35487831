// SPDX-License-Identifier: Apache-2.0
#include "jobs/list_query.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tocsin::jobs {

namespace {

constexpr std::size_t item_overhead_bytes = 512; // numbers, times and keys of one item on the wire

std::optional<std::uint64_t> number_from(std::string_view text, int base = 10) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
    return whole ? std::optional(value) : std::nullopt;
}

std::unexpected<Error> bad(std::string_view key, std::string reason) {
    return fail(Code::invalid_argument, "list jobs", std::string(key), std::move(reason));
}

Result<void> add_state(ListQuery& query, std::string_view value) {
    const auto state = job_state_from(value);
    if (!state) {
        return bad("state", "is not one of queued, running, waiting, succeeded, failed, timed-out, cancelled");
    }
    query.states.push_back(*state);
    return {};
}

Result<void> add_index(ListQuery& query, std::string_view value) {
    const auto index = number_from(value);
    if (!index) {
        return bad("unique_index", "is not the number of an event");
    }
    query.indexes.push_back(*index);
    return {};
}

Result<void> add_value(ListQuery& query, std::string_view key, const std::string& value) {
    if (key == "state") {
        return add_state(query, value);
    }
    if (key == "unique_index") {
        return add_index(query, value);
    }
    if (key == "script") {
        query.scripts.push_back(value);
        return {};
    }
    return bad(key, "is not known here; jobs are listed by state, script and unique_index");
}

// "<id>.<hash of the filter>", both hexadecimal.
std::string encode_cursor(std::uint64_t id, std::uint64_t hash) {
    std::string text;
    for (const std::uint64_t value : {id, hash}) {
        std::array<char, 16> digits{};
        char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
        text += (text.empty() ? "" : ".") + std::string(digits.data(), end);
    }
    return text;
}

Result<void> read_cursor(ListQuery& query, std::string_view cursor) {
    const std::size_t dot = std::min(cursor.find('.'), cursor.size());
    const auto id = number_from(cursor.substr(0, dot), 16);
    const auto hash = number_from(cursor.substr(std::min(dot + 1, cursor.size())), 16);
    if (!id || !hash || *id == 0) {
        return bad("cursor", "is not one that a list of jobs gave");
    }
    if (*hash != query.hash) {
        return bad("cursor", "belongs to another filter");
    }
    query.before = *id;
    return {};
}

template <typename T> bool any_or_has(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

} // namespace

bool ListQuery::matches(const Job& job) const {
    return any_or_has(states, job.state) && any_or_has(scripts, job.script) && is_about(job);
}

bool ListQuery::is_about(const Job& job) const {
    return any_or_has(indexes, job.unique_index) || std::ranges::any_of(job.joined, [this](const JoinedEvent& joined) {
               return any_or_has(indexes, joined.unique_index);
           });
}

bool ListQuery::unfinished_only() const {
    return !states.empty() && std::ranges::none_of(states, is_final);
}

Result<ListQuery> parse_list(const ListFilter& filter, std::string_view cursor) {
    ListQuery query;
    for (const auto& [key, values] : filter) {
        if (values.size() > limits::filter_values) {
            return bad(key, "has more than " + std::to_string(limits::filter_values) + " values");
        }
        for (const auto& value : values) {
            if (auto added = add_value(query, key, value); !added) {
                return std::unexpected(added.error());
            }
            query.hash = hash_mix(query.hash, hash64(value, hash64(key)));
        }
    }
    if (!cursor.empty()) {
        if (auto read = read_cursor(query, cursor); !read) {
            return std::unexpected(read.error());
        }
    }
    return query;
}

bool ListRequest::add(Job job) {
    if (page.items.size() == limit || bytes > limits::page_bytes) {
        page.next = encode_cursor(page.items.back().id, query.hash);
        return false;
    }
    bytes += item_overhead_bytes + job.script.size() + job.report_url.size() + job.reason.size();
    query.before = job.id;
    page.items.push_back(std::move(job));
    return true;
}

} // namespace tocsin::jobs
