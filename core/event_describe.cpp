// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"
#include "core/event_fields.hpp"
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"

namespace tocsin {

namespace {

void append_value(std::string& out, const json::element& value) {
    if (value.is_string()) {
        out += std::string_view(value);
        return;
    }
    // What is stored was checked when it came in.
    json::TreeWriter(out, limits::payload_depth).write(value);
}

// "event_id: field=value, …" in the order of the payload
std::string dataset_summary(const Event& event) {
    std::string out = event.event_id;
    if (event.payload.empty()) {
        return out;
    }
    json::Lease lease;
    simdjson::dom::object payload;
    if (lease.document().read(event.payload).get(payload) != simdjson::SUCCESS) {
        return out;
    }
    std::string_view between = ": ";
    for (const auto field : payload) {
        out += between;
        out += field.key;
        out += '=';
        append_value(out, field.value);
        between = ", ";
    }
    if (out.size() > limits::text_bytes) {
        constexpr std::string_view ellipsis = "…";
        out.resize(utf8_cut(out, limits::text_bytes - ellipsis.size()).size());
        out += ellipsis;
    }
    return out;
}

// Sends what has a value.
class Sender {
public:
    explicit Sender(const FieldSink& sink) : sink_(sink) {}

    void text(EventField field, std::string_view value) const {
        if (!value.empty()) {
            sink_(name_of(field), value);
        }
    }
    template <typename T> void number(EventField field, const std::optional<T>& value) const {
        if (value) {
            sink_(name_of(field), *value);
        }
    }
    void always(EventField field, const Scalar& value) const { sink_(name_of(field), value); }

private:
    const FieldSink& sink_;
};

bool is_known(const Origin& origin) {
    return origin != Origin{};
}

} // namespace

std::string effective_summary(const Event& event) {
    if (!event.summary.empty()) {
        return event.summary;
    }
    if (event.event_type == EventType::dataset && !event.event_id.empty()) {
        return dataset_summary(event);
    }
    return event.event_name + " from " + event.event_src;
}

std::string origin_json(const Origin& origin) {
    std::string out;
    json::ObjectWriter writer(out);
    const auto text = [&writer](std::string_view key, std::string_view value) {
        if (!value.empty()) {
            writer.add(key, value);
        }
    };
    const auto number = [&writer](std::string_view key, const std::optional<std::uint32_t>& value) {
        if (value) {
            writer.add(key, *value);
        }
    };
    text("transport", origin.transport);
    number("uid", origin.uid);
    number("gid", origin.gid);
    number("pid", origin.pid);
    text("unit", origin.unit);
    text("executable", origin.executable);
    writer.close();
    return out;
}

void describe(const Event& event, const FieldSink& sink) {
    const Sender send(sink);
    if (event.unique_index != 0) {
        send.always(EventField::unique_index, event.unique_index);
    }
    send.always(EventField::scid, event.scid);
    send.always(EventField::event_time, TimeUs{event.event_time_us});
    send.number(EventField::event_rule_id, event.event_rule_id);
    send.text(EventField::event_name, event.event_name);
    send.text(EventField::event_rule, event.event_rule);
    send.text(EventField::event_src, event.event_src);
    send.text(EventField::spark_script, event.spark_script);
    send.number(EventField::spark_report_id, event.spark_report_id);
    send.text(EventField::gem_full_path, event.gem_full_path);
    send.text(EventField::spark_report_url, event.spark_report_url);
    send.always(EventField::count, event.count);
    send.always(EventField::severity, to_string(event.severity));
    send.always(EventField::event_type, to_string(event.event_type));
    send.text(EventField::event_id, event.event_id);
    send.text(EventField::description, event.description);
    const std::string summary = effective_summary(event);
    send.text(EventField::summary, summary);
    send.text(EventField::environment, event.environment);
    if (!event.payload.empty()) {
        send.always(EventField::payload, RawJson{event.payload});
    }
    send.text(EventField::idempotency_key, event.idempotency_key);
    if (event.received_time_us != 0) {
        send.always(EventField::received_time, TimeUs{event.received_time_us});
    }
    send.number(EventField::cause, event.cause);
    if (event.cause) {
        send.always(EventField::cause_depth, event.cause_depth);
    }
    send.text(EventField::host, event.host);
    send.number(EventField::host_index, event.host_index);
    if (is_known(event.origin)) {
        const std::string origin = origin_json(event.origin);
        send.always(EventField::origin, RawJson{origin});
    }
}

} // namespace tocsin
