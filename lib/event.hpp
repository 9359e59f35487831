// SPDX-License-Identifier: Apache-2.0
// An event that is being made, behind the C type tocsin_event: its fields as JSON values, and the first thing that was
// wrong with one. What a field may hold is the daemon's to say; here is refused only what cannot be written at all.
#pragma once

#include "lib/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct tocsin_event {
public:
    // Fields that go out with the event where it does not have them.
    struct Defaults {
        std::string key{};
        std::int64_t time_us = 0;
    };

    int set_text(std::string_view field, const char* value);
    int set_int(std::string_view field, std::int64_t value);
    int set_time(std::int64_t us);
    int set_payload(const char* json_object);
    int add_text(std::string_view key, const char* value);
    int add_int(std::string_view key, std::int64_t value);
    int add_real(std::string_view key, double value);
    int add_bool(std::string_view key, bool value);
    // What was wrong first, as the daemon would say it.
    const std::optional<tocsin_result>& problem() const { return problem_; }
    // Appends the event as a JSON object.
    void render(std::string& out, const Defaults& defaults) const;

private:
    int refuse(std::string_view field, std::string reason);
    int set(std::string_view field, std::string json);
    int add(std::string_view key, std::string_view json);
    bool has(std::string_view field) const;

    std::vector<std::pair<std::string, std::string>> fields_{}; // name, JSON value
    std::string payload_{};                                     // members, without the braces
    bool has_payload_ = false;
    std::optional<tocsin_result> problem_{};
};

namespace tocsin::lib {

// Appends a JSON string with its quotes; false, and nothing appended, where the text is no UTF-8.
bool append_string(std::string& out, std::string_view text);

} // namespace tocsin::lib
