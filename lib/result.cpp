// SPDX-License-Identifier: Apache-2.0
#include "lib/result.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tocsin::lib {
namespace {

constexpr std::size_t errors_max = 1'000; // read of one answer; the first ones tell
constexpr int retry_after_s_max = 86'400;

struct Known {
    std::string_view name;
    unsigned status; // where a problem has no code of ours
    int code;
};

constexpr std::array<Known, 8> known{{
    {"InvalidEvent", 422, TOCSIN_INVALID_EVENT},
    {"InvalidArgument", 400, TOCSIN_INVALID_ARGUMENT},
    {"NotFound", 404, TOCSIN_NOT_FOUND},
    {"NotAuthorized", 403, TOCSIN_NOT_AUTHORIZED},
    {"Unavailable", 503, TOCSIN_UNAVAILABLE},
    {"LimitExceeded", 429, TOCSIN_LIMIT_EXCEEDED},
    {"StorageFull", 507, TOCSIN_STORAGE_FULL},
    {"Conflict", 409, TOCSIN_CONFLICT},
}};

int code_of(std::string_view name, unsigned status) {
    const auto* found = std::ranges::find_if(
        known, [&name, status](const Known& one) { return name.empty() ? one.status == status : one.name == name; });
    return found != known.end() ? found->code : TOCSIN_PROTOCOL;
}

int retry_after_ms(std::string_view header) {
    int seconds = -1;
    const auto [end, problem] = std::from_chars(header.data(), header.data() + header.size(), seconds);
    const bool read = problem == std::errc{} && end == header.data() + header.size() && seconds >= 0;
    return read ? std::min(seconds, retry_after_s_max) * 1'000 : -1;
}

std::string text_of(const simdjson::dom::object& object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<FieldProblem> problems_of(const simdjson::dom::object& problem) {
    std::vector<FieldProblem> found;
    simdjson::dom::array errors;
    if (problem["errors"].get(errors) != simdjson::SUCCESS) {
        return found;
    }
    for (const simdjson::dom::element element : errors) {
        simdjson::dom::object error;
        std::uint64_t index = 0;
        if (found.size() == errors_max || element.get(error) != simdjson::SUCCESS) {
            break;
        }
        const bool numbered = error["index"].get(index) == simdjson::SUCCESS;
        found.push_back({numbered ? index : 0, text_of(error, "field"), text_of(error, "reason")});
    }
    return found;
}

tocsin_result read_problem(const Answer& answer, const simdjson::dom::object& problem) {
    tocsin_result result;
    result.code = code_of(text_of(problem, "code"), answer.status);
    result.message = text_of(problem, "detail");
    result.problems = problems_of(problem);
    result.retry_after_ms = retry_after_ms(answer.retry_after);
    if (result.message.empty()) {
        result.message = "the daemon refused, with HTTP status " + std::to_string(answer.status);
    }
    return result;
}

bool read_indexes(const simdjson::dom::object& receipt, std::size_t events, tocsin_result& result) {
    std::uint64_t index = 0;
    if (receipt["unique_index"].get(index) == simdjson::SUCCESS) {
        result.indexes.push_back(index);
        bool duplicate = false;
        result.duplicate = receipt["duplicate"].get(duplicate) == simdjson::SUCCESS && duplicate;
        return events == 1;
    }
    simdjson::dom::array indexes;
    if (receipt["unique_indexes"].get(indexes) != simdjson::SUCCESS) {
        return events == 0;
    }
    for (const simdjson::dom::element element : indexes) {
        if (element.get(index) != simdjson::SUCCESS) {
            return false;
        }
        result.indexes.push_back(index);
    }
    return result.indexes.size() == events;
}

tocsin_result not_understood(unsigned status) {
    return failure(TOCSIN_PROTOCOL, "the answer cannot be understood (HTTP status " + std::to_string(status) +
                                        "); is it a Tocsin daemon that listens there?");
}

} // namespace

tocsin_result failure(int code, std::string message) {
    tocsin_result result;
    result.code = code;
    result.message = std::move(message);
    return result;
}

tocsin_result field_failure(std::string field, std::string reason, std::size_t event) {
    tocsin_result result = failure(TOCSIN_INVALID_EVENT, field + ": " + reason);
    result.problems.push_back({event, std::move(field), std::move(reason)});
    return result;
}

tocsin_result read_answer(const Answer& answer, std::size_t events) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(answer.body).get(object) != simdjson::SUCCESS) {
        return not_understood(answer.status);
    }
    if (answer.status < 200 || answer.status > 299) {
        return read_problem(answer, object);
    }
    tocsin_result result;
    return read_indexes(object, events, result) ? result : not_understood(answer.status);
}

} // namespace tocsin::lib
