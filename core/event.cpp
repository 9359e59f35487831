// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"

#include "core/words.hpp"

#include <array>

namespace tocsin {

namespace {

struct SeverityWord {
    std::string_view text;
    Severity severity;
};

constexpr std::array<std::string_view, 4> severities{"info", "warning", "error", "critical"};
constexpr std::array<std::string_view, 2> types{"standard", "dataset"};
constexpr std::array<SeverityWord, 12> severity_words{{
    {"info", Severity::info},
    {"warning", Severity::warning},
    {"error", Severity::error},
    {"critical", Severity::critical},
    {"informational", Severity::info},
    {"notice", Severity::info},
    {"low", Severity::info},
    {"warn", Severity::warning},
    {"medium", Severity::warning},
    {"err", Severity::error},
    {"high", Severity::error},
    {"crit", Severity::critical},
}};

bool equal_in_any_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) {
        return false;
    }
    if (words::same(text, lower)) {
        return true; // as it is usually written
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
        if (c != lower[i]) {
            return false;
        }
    }
    return true;
}

} // namespace

std::string_view to_string(Severity severity) {
    const auto rank = static_cast<std::size_t>(severity);
    return rank < severities.size() ? severities[rank] : "info";
}

std::string_view to_string(EventType type) {
    return type == EventType::dataset ? types[1] : types[0];
}

std::optional<Severity> severity_from(std::string_view text) {
    for (const SeverityWord& word : severity_words) {
        if (equal_in_any_case(text, word.text)) {
            return word.severity;
        }
    }
    return std::nullopt;
}

std::optional<EventType> event_type_from(std::string_view text) {
    if (equal_in_any_case(text, types[0])) {
        return EventType::standard;
    }
    if (equal_in_any_case(text, types[1])) {
        return EventType::dataset;
    }
    return std::nullopt;
}

std::string_view canonical_environment(std::string_view text) {
    if (text == "aws-cloud" || text == "azure-cloud" || text == "gcp-cloud") {
        return text.substr(0, text.find('-'));
    }
    return text;
}

std::size_t size_of(const Event& event) {
    return sizeof(Event) + event.event_name.size() + event.event_rule.size() + event.event_src.size() +
           event.spark_script.size() + event.gem_full_path.size() + event.spark_report_url.size() +
           event.event_id.size() + event.description.size() + event.summary.size() + event.environment.size() +
           event.payload.size() + event.idempotency_key.size() + event.host.size() + event.origin.transport.size() +
           event.origin.unit.size() + event.origin.executable.size();
}

} // namespace tocsin
