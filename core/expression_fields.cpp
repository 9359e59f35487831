// SPDX-License-Identifier: Apache-2.0
#include "core/expression_node.hpp"

#include <array>

namespace tocsin::expression {
namespace {

template <std::string Event::* Member> Scalar text_of(const Event& event, std::string& /*scratch*/) {
    const std::string& text = event.*Member;
    return text.empty() ? Scalar() : Scalar(std::string_view(text));
}

template <std::string Origin::* Member> Scalar origin_text(const Event& event, std::string& /*scratch*/) {
    const std::string& text = event.origin.*Member;
    return text.empty() ? Scalar() : Scalar(std::string_view(text));
}

template <typename T> Scalar number(const T& value) {
    return Scalar(value);
}
template <typename T> Scalar number(const std::optional<T>& value) {
    return value ? Scalar(*value) : Scalar();
}

template <auto Member> Scalar number_of(const Event& event, std::string& /*scratch*/) {
    return number(event.*Member);
}

template <std::optional<std::uint32_t> Origin::* Member>
Scalar origin_number(const Event& event, std::string& /*scratch*/) {
    return number(event.origin.*Member);
}

// Severities compare by rank: as a number on both sides.
Scalar severity_of(const Event& event, std::string& /*scratch*/) {
    return static_cast<std::int64_t>(event.severity);
}

Scalar type_of(const Event& event, std::string& /*scratch*/) {
    return to_string(event.event_type);
}

Scalar summary_of(const Event& event, std::string& scratch) {
    scratch = effective_summary(event);
    return std::string_view(scratch);
}

constexpr std::array fields{
    Field{"unique_index", FieldKind::integer, number_of<&Event::unique_index>},
    Field{"scid", FieldKind::integer, number_of<&Event::scid>},
    Field{"event_time", FieldKind::time, number_of<&Event::event_time_us>},
    Field{"event_rule_id", FieldKind::integer, number_of<&Event::event_rule_id>},
    Field{"event_name", FieldKind::text, text_of<&Event::event_name>},
    Field{"event_rule", FieldKind::text, text_of<&Event::event_rule>},
    Field{"event_src", FieldKind::text, text_of<&Event::event_src>},
    Field{"spark_script", FieldKind::text, text_of<&Event::spark_script>},
    Field{"spark_report_id", FieldKind::integer, number_of<&Event::spark_report_id>},
    Field{"gem_full_path", FieldKind::text, text_of<&Event::gem_full_path>},
    Field{"spark_report_url", FieldKind::text, text_of<&Event::spark_report_url>},
    Field{"count", FieldKind::integer, number_of<&Event::count>},
    Field{"severity", FieldKind::severity, severity_of},
    Field{"event_type", FieldKind::event_type, type_of},
    Field{"event_id", FieldKind::text, text_of<&Event::event_id>},
    Field{"description", FieldKind::text, text_of<&Event::description>},
    Field{"summary", FieldKind::text, summary_of},
    Field{"environment", FieldKind::environment, text_of<&Event::environment>},
    Field{"idempotency_key", FieldKind::text, text_of<&Event::idempotency_key>},
    Field{"received_time", FieldKind::time, number_of<&Event::received_time_us>},
    Field{"cause", FieldKind::integer, number_of<&Event::cause>},
    Field{"cause_depth", FieldKind::integer, number_of<&Event::cause_depth>},
    Field{"host", FieldKind::text, text_of<&Event::host>},
    Field{"host_index", FieldKind::integer, number_of<&Event::host_index>},
    Field{"origin.transport", FieldKind::text, origin_text<&Origin::transport>},
    Field{"origin.uid", FieldKind::integer, origin_number<&Origin::uid>},
    Field{"origin.gid", FieldKind::integer, origin_number<&Origin::gid>},
    Field{"origin.pid", FieldKind::integer, origin_number<&Origin::pid>},
    Field{"origin.unit", FieldKind::text, origin_text<&Origin::unit>},
    Field{"origin.executable", FieldKind::text, origin_text<&Origin::executable>},
};

} // namespace

const Field* find_field(std::string_view name) {
    for (const Field& field : fields) {
        if (field.name == name) {
            return &field;
        }
    }
    return nullptr;
}

const std::vector<std::string_view>& field_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list{"payload"};
        list.reserve(fields.size() + 1);
        for (const Field& field : fields) {
            list.push_back(field.name);
        }
        return list;
    }();
    return names;
}

} // namespace tocsin::expression
