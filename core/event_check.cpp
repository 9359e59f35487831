// SPDX-License-Identifier: Apache-2.0
#include "core/event_check.hpp"

#include "core/event_fields.hpp"
#include "core/expression.hpp"
#include "core/hash.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"

#include <algorithm>

namespace tocsin {

namespace {

bool fits(const json::element& value, std::string_view type) {
    const bool integer = value.is_int64() || value.is_uint64();
    if (type == "number") {
        return integer || value.is_double();
    }
    if (type == "integer") {
        return integer;
    }
    if (type == "boolean") {
        return value.is_bool();
    }
    return value.is_string();
}

FieldError payload_error(std::string reason) {
    return {0, std::string(name_of(EventField::payload)), std::move(reason)};
}

// Null is absent, on every face.
bool has_value(const simdjson::dom::object& payload, std::string_view key) {
    json::element value;
    return payload.at_key(key).get(value) == simdjson::SUCCESS && !value.is_null();
}

// A field that the configuration removes from payloads cannot be asked for.
bool is_redacted(const IntakeRules& rules, std::string_view key) {
    return json::Redaction(rules.redact).takes(key);
}

void check_member(const std::vector<DatasetField>& declared, const simdjson::dom::key_value_pair& member,
                  std::vector<FieldError>& problems) {
    const auto field = std::ranges::find(declared, member.key, &DatasetField::name);
    if (field == declared.end()) {
        problems.push_back(
            payload_error("has the key " + in_quotes(member.key) + ", which its dataset does not declare"));
    } else if (!member.value.is_null() && !fits(member.value, field->type)) {
        problems.push_back(
            payload_error("the value of " + in_quotes(member.key) + " is not of the declared type " + field->type));
    }
}

void check_members(const std::vector<DatasetField>& declared, const simdjson::dom::object& payload,
                   const IntakeRules& rules, std::vector<FieldError>& problems) {
    for (const auto member : payload) {
        check_member(declared, member, problems);
    }
    for (const DatasetField& field : declared) {
        if (!has_value(payload, field.name) && !is_redacted(rules, field.name)) {
            problems.push_back(payload_error("lacks the key " + in_quotes(field.name) + " of its dataset"));
        }
    }
}

class Hasher {
public:
    void add(EventField field, std::uint64_t value) {
        sum_ = hash_mix(sum_, hash_mix(static_cast<std::uint64_t>(field), value));
    }
    void add(EventField field, std::int64_t value) { add(field, static_cast<std::uint64_t>(value)); }
    void add(EventField field, std::string_view text) {
        if (!text.empty()) {
            add(field, hash64(text));
        }
    }
    std::uint64_t sum() const { return sum_; }

private:
    std::uint64_t sum_ = 0;
};

} // namespace

std::vector<FieldError> dataset_problems(const Event& event, const IntakeRules& rules) {
    std::vector<FieldError> problems;
    if (event.event_id.empty()) {
        if (event.event_type == EventType::dataset) {
            problems.push_back({0, std::string(name_of(EventField::event_id)), "is required: it names the dataset"});
        }
        return problems;
    }
    const auto dataset = rules.datasets.find(event.event_id);
    if (dataset == rules.datasets.end()) {
        if (rules.datasets_strict) {
            problems.push_back({0, std::string(name_of(EventField::event_id)),
                                in_quotes(event.event_id) + " is not a declared dataset; declare it with [[dataset]]"});
        }
        return problems;
    }
    json::Lease lease;
    simdjson::dom::object payload;
    const std::string_view text = event.payload.empty() ? "{}" : std::string_view(event.payload);
    if (lease.document().read(text).get(payload) != simdjson::SUCCESS) {
        problems.push_back(payload_error("is not an object"));
        return problems;
    }
    check_members(dataset->second, payload, rules, problems);
    return problems;
}

std::uint64_t content_hash_of(const Event& event, bool time_given) {
    Hasher hasher;
    hasher.add(EventField::scid, event.scid);
    if (time_given) {
        hasher.add(EventField::event_time, event.event_time_us);
    }
    if (event.event_rule_id) {
        hasher.add(EventField::event_rule_id, *event.event_rule_id);
    }
    hasher.add(EventField::event_name, event.event_name);
    hasher.add(EventField::event_rule, event.event_rule);
    hasher.add(EventField::event_src, event.event_src);
    hasher.add(EventField::spark_script, event.spark_script);
    hasher.add(EventField::gem_full_path, event.gem_full_path);
    hasher.add(EventField::count, event.count);
    hasher.add(EventField::severity, static_cast<std::uint64_t>(event.severity));
    hasher.add(EventField::event_type, static_cast<std::uint64_t>(event.event_type));
    hasher.add(EventField::event_id, event.event_id);
    hasher.add(EventField::description, event.description);
    hasher.add(EventField::summary, event.summary);
    hasher.add(EventField::environment, event.environment);
    if (!event.payload.empty()) {
        json::Lease lease;
        json::element payload;
        if (lease.document().read(event.payload).get(payload) == simdjson::SUCCESS) {
            hasher.add(EventField::payload, json::tree_hash(payload));
        }
    }
    return hasher.sum();
}

} // namespace tocsin
