// SPDX-License-Identifier: Apache-2.0
// Private to core: the table of an event's top-level fields in their documented order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin {

enum class EventField : std::uint8_t {
    unique_index,
    scid,
    event_time,
    event_rule_id,
    event_name,
    event_rule,
    event_src,
    spark_script,
    spark_report_id,
    gem_full_path,
    spark_report_url,
    count,
    severity,
    event_type,
    event_id,
    description,
    summary,
    environment,
    payload,
    idempotency_key,
    received_time,
    cause,
    cause_depth,
    host,
    host_index,
    origin,
};
inline constexpr std::size_t field_count = 26;

std::optional<EventField> field_of(std::string_view name);
std::string_view name_of(EventField field);
// True for the fields that no sender may set.
bool set_by_daemon(EventField field);

} // namespace tocsin
