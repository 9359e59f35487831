// SPDX-License-Identifier: Apache-2.0
// The event: its fields in their documented order, the builder that turns what a sender said into a valid one, and the
// description that every face renders. No I/O and no clock: "now" is an argument.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"
#include "core/scalar.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

namespace json {
struct BuilderAccess;
}
enum class EventField : std::uint8_t; // core/event_fields.hpp

enum class Severity : std::uint8_t { info, warning, error, critical }; // ordered by rank
enum class EventType : std::uint8_t { standard, dataset };

std::string_view to_string(Severity severity);
std::string_view to_string(EventType type);
// Takes the aliases too (notice, warn, err, high, crit, …), in any case.
std::optional<Severity> severity_from(std::string_view text);
std::optional<EventType> event_type_from(std::string_view text);
// aws-cloud → aws, …; anything else unchanged.
std::string_view canonical_environment(std::string_view text);

// Trusted facts about who sent an event: from the kernel or the bus, never from the sender. Unknown ones are left out.
struct Origin {
    std::string transport; // "dbus", "http", "notify", "daemon"
    std::optional<std::uint32_t> uid{};
    std::optional<std::uint32_t> gid{};
    std::optional<std::uint32_t> pid{};
    std::string unit{};       // systemd unit
    std::string executable{}; // path
    friend bool operator==(const Origin&, const Origin&) = default;
};

struct Event {
    std::uint64_t unique_index = 0; // 0 until committed
    std::int64_t scid = 0;
    std::int64_t event_time_us = 0;
    std::optional<std::int64_t> event_rule_id{};
    std::string event_name{};
    std::string event_rule{};
    std::string event_src{};
    std::string spark_script{};
    std::optional<std::int64_t> spark_report_id{}; // joined when read: absent, -1 asked, > 0 done
    std::string gem_full_path{};
    std::string spark_report_url{}; // joined when read
    std::uint64_t count = 1;
    Severity severity = Severity::info;
    EventType event_type = EventType::standard;
    std::string event_id{};
    std::string description{};
    std::string summary{}; // empty: the default summary is rendered (effective_summary)
    std::string environment{};
    std::string payload{}; // minified JSON object; empty: none
    std::string idempotency_key{};
    std::uint64_t content_hash = 0; // of what the sender said, where a key came with it
    std::int64_t received_time_us = 0;
    std::optional<std::uint64_t> cause{};
    std::uint32_t cause_depth = 0;
    std::string host{};
    std::optional<std::uint64_t> host_index{};
    Origin origin{};
    friend bool operator==(const Event&, const Event&) = default;
};

inline constexpr std::string_view daemon_source = "tocsin";

// Names of the top-level fields in the documented order (the columns of a CSV).
const std::vector<std::string_view>& event_field_names();

// The given summary, else the default one.
std::string effective_summary(const Event& event);

// Sends the fields that have a value, in the documented order.
void describe(const Event& event, const FieldSink& sink);
// The origin as a minified JSON object.
std::string origin_json(const Origin& origin);

// Bytes that count against limits and queues.
std::size_t size_of(const Event& event);

// What the configuration says about events that come in.
struct DatasetField {
    std::string name;
    std::string label{};
    std::string type = "string"; // string | number | integer | boolean
};
struct IntakeRules {
    Zone zone = Zone::utc();
    std::string host{};                // this host's name, set on events that come without one
    std::vector<std::string> redact{}; // payload keys (globs, any depth) that are removed
    bool datasets_strict = false;
    std::map<std::string, std::vector<DatasetField>, std::less<>> datasets{};
};

// Fields in any order, strings copied. Null and "" are absent; a key given twice is wrong. Payload: a RawJson object,
// kept minified without rules.redact's keys (in any case). Type dataset needs event_id. finish() gives all wrong ones.
class EventBuilder {
public:
    EventBuilder(const IntakeRules& rules, std::int64_t now_us)
        : rules_(rules), now_us_(now_us), own_(std::in_place), event_(*own_) {}
    // Into an event that is empty, and of no use where finishing it fails.
    EventBuilder(const IntakeRules& rules, std::int64_t now_us, Event& into)
        : rules_(rules), now_us_(now_us), event_(into) {}
    EventBuilder(const EventBuilder&) = delete;
    EventBuilder& operator=(const EventBuilder&) = delete;
    void set(std::string_view key, const Scalar& value);
    // A reason that is not about a value: "given twice", "is not valid UTF-8".
    void refuse(std::string_view key, std::string reason);
    // `from_daemon` allows event_src "tocsin".
    Result<Event> finish(bool from_daemon = false);

private:
    friend struct json::BuilderAccess; // hands in payloads that it has checked, minified and redacted already
    bool first_time(EventField field);
    void set(EventField field, const Scalar& value);
    // As set() does with what most values are, texts of printable ASCII among them; false where set() has to look more
    // closely, and then has to be asked.
    bool takes(EventField field, std::string_view text);
    bool takes(EventField field, std::int64_t number);
    // Checks what is only known at the end and fills in the defaults; the event is then whole.
    std::optional<Error> complete(bool from_daemon);
    void check_required(bool from_daemon);

    const IntakeRules& rules_;
    std::int64_t now_us_;
    std::optional<Event> own_{};
    Event& event_;
    std::uint64_t seen_ = 0; // one bit per field of the table
    bool time_given_ = false;
    std::vector<FieldError> errors_{};
};

// A daemon's own event ("alert.firing", …): payload names what it is about. Asserts that it is valid.
Event daemon_event(std::string_view name, std::int64_t event_time_us, std::int64_t now_us, std::string payload_json,
                   Severity severity = Severity::info);

// Valid UTF-8, no control characters, 1..max bytes: what names must be. The reason when not.
std::optional<std::string> name_problem(std::string_view text, std::size_t max = limits::name_bytes);
bool valid_utf8(std::string_view text);

} // namespace tocsin
