// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_codec.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <concepts>
#include <type_traits>

namespace tocsin::heartbeats {
namespace {

constexpr std::uint8_t version_first = 1; // until watches had plans
constexpr std::uint8_t version = 2;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63U;
constexpr std::size_t scid_bytes = 8;

template <std::unsigned_integral T> void put(std::string& out, T value) {
    const std::uint64_t bits = value;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        out += static_cast<char>((bits >> (8 * i)) & 0xFFU);
    }
}

void put_signed(std::string& out, std::int64_t value) {
    put(out, static_cast<std::uint64_t>(value));
}

void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint16_t>(text.size()));
    out += text;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <std::unsigned_integral T> T number() {
        if (bytes_.size() < sizeof(T)) {
            return stop<T>();
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
        }
        bytes_.remove_prefix(sizeof(T));
        return static_cast<T>(value);
    }

    std::int64_t signed_number() { return static_cast<std::int64_t>(number<std::uint64_t>()); }

    std::string text(std::size_t max) {
        const std::size_t size = number<std::uint16_t>();
        if (size > max || size > bytes_.size()) {
            return stop<std::string>();
        }
        std::string result(bytes_.substr(0, size));
        bytes_.remove_prefix(size);
        return result;
    }

    bool complete() const { return good_ && bytes_.empty(); }

private:
    template <typename T> T stop() {
        good_ = false;
        bytes_ = {};
        return T{};
    }

    std::string_view bytes_;
    bool good_ = true;
};

constexpr std::uint8_t configured_flag = 1U << 0U;
constexpr std::uint8_t resting_flag = 1U << 1U;
constexpr std::uint8_t held_flag = 1U << 2U; // from here on of version 2 alone
constexpr std::uint8_t plan_flag = 1U << 3U;
constexpr std::uint8_t rhythm_flag = 1U << 4U;
constexpr std::uint8_t made_by_flag = 1U << 5U;

std::unexpected<Error> damaged(std::string_view what) {
    return fail(Code::invalid_event, "heartbeats", "watches", "the " + std::string(what) + " of a row is damaged");
}

bool in_bounds(std::int64_t us, std::int64_t max = limits::interval_us_max) {
    return us >= 0 && us <= max;
}

std::uint8_t flags_of(const Watch& watch) {
    const unsigned flags = (watch.configured ? configured_flag : 0U) | (watch.resting ? resting_flag : 0U) |
                           (watch.held ? held_flag : 0U) | (watch.plan.empty() ? 0U : plan_flag) |
                           (watch.rhythm.empty() ? 0U : rhythm_flag) |
                           (watch.made_by == Watch::nobody ? 0U : made_by_flag);
    return static_cast<std::uint8_t>(flags);
}

bool plausible(const Watch& watch) {
    const Rhythm& rhythm = *watch.rhythm;
    return in_bounds(watch.interval_us) && in_bounds(watch.grace_us) && watch.last_us >= 0 && watch.deadline_us >= 0 &&
           watch.plan->runs->under_way.size() <= limits::runs_max && in_bounds(watch.plan->early_us) &&
           in_bounds(watch.plan->run_limit_us, limits::run_us_max) && rhythm.count <= Rhythm::gaps_max &&
           rhythm.at < Rhythm::gaps_max;
}

void put_plan(std::string& out, const WatchPlan& plan) {
    put_signed(out, plan.early_us);
    put_signed(out, plan.run_limit_us);
    put_text(out, plan.schedule == nullptr ? std::string_view() : std::string_view(plan.schedule->expression()));
    put_text(out, plan.schedule == nullptr ? std::string_view() : std::string_view(plan.schedule->zone()));
    put_text(out, plan.runs->last);
    put(out, static_cast<std::uint8_t>(plan.runs->under_way.size()));
    for (const Run& run : plan.runs->under_way) {
        put_text(out, run.id);
        put_signed(out, run.since_us);
        put(out, static_cast<std::uint8_t>(run.told ? 1 : 0));
    }
}

void put_rhythm(std::string& out, const Rhythm& rhythm) {
    for (const std::uint32_t gap_ms : rhythm.gaps_ms) {
        put(out, gap_ms);
    }
    put(out, rhythm.waited_ms);
    put(out, rhythm.count);
    put(out, rhythm.at);
    put(out, static_cast<std::uint8_t>(rhythm.starts ? 1 : 0));
}

// What a schedule is read from.
struct CalendarText {
    std::string expression{};
    std::string zone{};
};

WatchPlan read_plan(Reader& reader, CalendarText& calendar) {
    WatchPlan plan;
    plan.early_us = reader.signed_number();
    plan.run_limit_us = reader.signed_number();
    calendar.expression = reader.text(limits::schedule_bytes);
    calendar.zone = reader.text(limits::name_bytes);
    Runs runs;
    runs.last = reader.text(limits::run_bytes);
    const std::size_t count = reader.number<std::uint8_t>();
    for (std::size_t i = 0; i < count && i <= limits::runs_max; ++i) { // one too many is seen by plausible()
        Run& run = runs.under_way.emplace_back();
        run.id = reader.text(limits::run_bytes);
        run.since_us = reader.signed_number();
        run.told = reader.number<std::uint8_t>() != 0;
    }
    plan.runs = std::move(runs);
    return plan;
}

Rhythm read_rhythm(Reader& reader) {
    Rhythm rhythm;
    for (std::uint32_t& gap_ms : rhythm.gaps_ms) {
        gap_ms = reader.number<std::uint32_t>();
    }
    rhythm.waited_ms = reader.number<std::uint32_t>();
    rhythm.count = reader.number<std::uint8_t>();
    rhythm.at = reader.number<std::uint8_t>();
    rhythm.starts = reader.number<std::uint8_t>() != 0;
    return rhythm;
}

void read_times(Reader& reader, Watch& watch) {
    watch.last_us = reader.signed_number();
    watch.deadline_us = reader.signed_number();
    watch.interval_us = reader.signed_number();
    watch.grace_us = reader.signed_number();
}

// Both give the highest flags that their version knows.
std::uint8_t read_first(Reader& reader, Watch& watch) {
    read_times(reader, watch);
    watch.misses = static_cast<std::uint16_t>(std::min<std::uint64_t>(reader.number<std::uint64_t>(), UINT16_MAX));
    watch.status = reader.text(limits::status_bytes);
    const std::string run = reader.text(limits::run_bytes);
    watch.plan = WatchPlan{.runs = Runs{.last = run}};
    return configured_flag | resting_flag;
}

std::uint8_t read_current(Reader& reader, Watch& watch, CalendarText& calendar, std::uint8_t flags) {
    watch.held = (flags & held_flag) != 0;
    read_times(reader, watch);
    watch.misses = reader.number<std::uint16_t>();
    watch.status = reader.text(limits::status_bytes);
    if ((flags & plan_flag) != 0) {
        watch.plan = read_plan(reader, calendar);
    }
    if ((flags & rhythm_flag) != 0) {
        watch.rhythm = read_rhythm(reader);
    }
    if ((flags & made_by_flag) != 0) {
        watch.made_by = reader.number<std::uint32_t>();
    }
    return configured_flag | resting_flag | held_flag | plan_flag | rhythm_flag | made_by_flag;
}

Result<void> read_calendar(Watch& watch, const CalendarText& text, Calendars& calendars) {
    if (text.expression.empty()) {
        return {};
    }
    auto schedule = calendars.find(text.expression, text.zone);
    if (!schedule) {
        return fail(Code::unavailable, "heartbeats", watch.key.source, schedule.error().detail());
    }
    watch.plan.edit([&schedule](WatchPlan& plan) { plan.schedule = std::move(*schedule); });
    return {};
}

} // namespace

std::string encode_key(const WatchKey& key) {
    std::string bytes = key.source;
    bytes += '\0';
    const std::uint64_t scid = static_cast<std::uint64_t>(key.scid) ^ sign_bit;
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        bytes += static_cast<char>((scid >> (shift - 8)) & 0xFFU);
    }
    return bytes;
}

Result<WatchKey> decode_key(std::string_view bytes) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end == 0 || end > limits::name_bytes || bytes.size() != end + 1 + scid_bytes) {
        return damaged("key");
    }
    std::uint64_t scid = 0;
    for (const char byte : bytes.substr(end + 1)) {
        scid = scid << 8U | static_cast<unsigned char>(byte);
    }
    return WatchKey{std::string(bytes.substr(0, end)), static_cast<std::int64_t>(scid ^ sign_bit)};
}

std::string encode_watch(const Watch& watch) {
    std::string bytes;
    put(bytes, version);
    put(bytes, static_cast<std::uint8_t>(watch.state));
    put(bytes, flags_of(watch));
    put_signed(bytes, watch.last_us);
    put_signed(bytes, watch.deadline_us);
    put_signed(bytes, watch.interval_us);
    put_signed(bytes, watch.grace_us);
    put(bytes, watch.misses);
    put_text(bytes, *watch.status);
    if (!watch.plan.empty()) {
        put_plan(bytes, *watch.plan);
    }
    if (!watch.rhythm.empty()) {
        put_rhythm(bytes, *watch.rhythm);
    }
    if (watch.made_by != Watch::nobody) {
        put(bytes, watch.made_by);
    }
    return bytes;
}

Result<Watch> decode_watch(std::string_view key, std::string_view value, Calendars& calendars) {
    Result<WatchKey> watch_key = decode_key(key);
    if (!watch_key) {
        return std::unexpected(std::move(watch_key.error()));
    }
    Reader reader(value);
    const std::uint8_t written = reader.number<std::uint8_t>();
    if (written != version_first && written != version) {
        return damaged("version");
    }
    Watch watch;
    watch.key = std::move(*watch_key);
    const std::uint8_t state = reader.number<std::uint8_t>();
    const std::uint8_t flags = reader.number<std::uint8_t>();
    watch.configured = (flags & configured_flag) != 0;
    watch.resting = (flags & resting_flag) != 0;
    CalendarText calendar;
    const std::uint8_t known =
        written == version_first ? read_first(reader, watch) : read_current(reader, watch, calendar, flags);
    if (!reader.complete() || flags > known || state > static_cast<std::uint8_t>(WatchState::paused) ||
        !plausible(watch)) {
        return damaged("value");
    }
    watch.state = static_cast<WatchState>(state);
    if (Result<void> read = read_calendar(watch, calendar, calendars); !read) {
        return std::unexpected(std::move(read.error()));
    }
    return watch;
}

} // namespace tocsin::heartbeats
