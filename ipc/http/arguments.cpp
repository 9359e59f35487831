// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tocsin::ipc::http {
namespace {

template <typename Number> Result<Number> parse(std::string_view name, std::string_view text, std::string_view what) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::unexpected(bad_request(name, fmt::format("\"{}\" is not {}", text.substr(0, 64), what)));
    }
    return value;
}

} // namespace

Result<std::uint64_t> parse_index(std::string_view name, std::string_view text) {
    return parse<std::uint64_t>(name, text, "a whole number");
}

Result<std::int64_t> parse_integer(std::string_view name, std::string_view text) {
    return parse<std::int64_t>(name, text, "an integer");
}

Result<PageRequest> take_page(const Parameters& parameters) {
    PageRequest page;
    bool limit_seen = false;
    bool cursor_seen = false;
    for (const auto& [key, value] : parameters) {
        bool* const seen = key == "limit" ? &limit_seen : key == "cursor" ? &cursor_seen : nullptr;
        if (seen == nullptr) {
            page.rest.emplace_back(key, value);
            continue;
        }
        if (std::exchange(*seen, true)) {
            return std::unexpected(bad_request(key, "is given twice"));
        }
        if (seen == &cursor_seen) {
            page.cursor = value;
            continue;
        }
        const auto limit = parse_index(key, value);
        if (!limit || *limit < 1 || *limit > limits::page_max) {
            return std::unexpected(bad_request("limit", fmt::format("\"{}\" is not a whole number from 1 to {}",
                                                                    value.substr(0, 64), limits::page_max)));
        }
        page.limit = static_cast<std::size_t>(*limit);
    }
    return page;
}

Result<Filter> filter_of(const Context& context, const Parameters& parameters) {
    FilterBuilder builder(context.services.intake.rules().zone);
    for (const auto& [key, value] : parameters) {
        builder.add(key, std::string_view(value));
    }
    return builder.finish();
}

Result<FilteredPage> take_filtered_page(const Context& context, const Parameters& parameters) {
    auto page = take_page(parameters);
    if (!page) {
        return std::unexpected(std::move(page.error()));
    }
    auto filter = filter_of(context, page->rest);
    if (!filter) {
        return std::unexpected(std::move(filter.error()));
    }
    return FilteredPage{std::move(*page), std::move(*filter)};
}

ListFilter list_filter(const Parameters& rest) {
    ListFilter filter;
    for (const auto& [key, value] : rest) {
        filter[key].push_back(value);
    }
    return filter;
}

} // namespace tocsin::ipc::http
