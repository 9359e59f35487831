// SPDX-License-Identifier: Apache-2.0
// A watch over one (source, scid): pure state machine. What comes in is a beat, an act or the passing of time; what
// comes out is the new watch and the transitions that become events. No clock: instants are arguments, wall and boot
// time both.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/scalar.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class WatchState : std::uint8_t { fresh, up, late, down, started, paused }; // "new" is fresh here
std::string_view to_string(WatchState state);
std::optional<WatchState> watch_state_from(std::string_view text);

// note: a text alone, no sign of life; faces that read a kind from its name do not know it.
enum class BeatKind : std::uint8_t { ok, start, finish, fail, alive, note };
std::optional<BeatKind> beat_kind_from(std::string_view text);

struct WatchKey {
    std::string source;
    std::int64_t scid = 0;
    friend auto operator<=>(const WatchKey&, const WatchKey&) = default;
};

struct Watch {
    WatchKey key;
    WatchState state = WatchState::fresh;
    std::int64_t last_us = 0;     // wall time of the newest beat; 0: none yet
    std::int64_t deadline_us = 0; // wall time, grace excluded; 0: none
    std::int64_t interval_us = 0; // 0: not watched (fresh)
    std::int64_t grace_us = 0;
    std::int64_t due_boot_us = 0; // boot time at which deadline + grace passes; not stored
    std::uint64_t misses = 0;     // since the last beat
    std::string status{};
    std::string run{};
    bool configured = false; // set by the configuration, not by a beat
    bool resting = false;    // paused by its own source: its next beat resumes it
    friend bool operator==(const Watch&, const Watch&) = default;
};

struct Beat {
    WatchKey key;
    BeatKind kind = BeatKind::ok;
    std::optional<std::int64_t> interval_us{};
    std::optional<std::int64_t> grace_us{};
    std::string status{};
    std::string run{};
    std::int64_t time_us = 0; // wall time; never moves a watch backwards
};

// Reads a beat from options (scid, interval_usec, grace_usec, schedule, zone, state, run, status; HTTP's interval and
// grace as durations). Wrong ones are invalid_argument naming the option; what is not built yet is unavailable.
class BeatBuilder {
public:
    explicit BeatBuilder(std::string_view source);
    void set(std::string_view key, const Scalar& value);
    Result<Beat> finish(std::int64_t now_us);

private:
    Beat beat_{};
    std::optional<Error> error_{};
};

// An event named "heartbeat" (any case) is a beat only.
bool is_beat(const Event& event);
Beat beat_of(const Event& event);

enum class Transition : std::uint8_t { missed, recovered, failed };
std::string_view event_name(Transition transition); // "heartbeat.missed"

struct WatchDefaults {
    std::int64_t interval_us = 60'000'000;
    std::int64_t grace_us = 30'000'000;
    bool auto_register = false; // an unknown source that beats is watched with the defaults
};

struct Now {
    std::int64_t wall_us = 0;
    std::int64_t boot_us = 0;
};

// Each changes the watch and says what happened. time_passed() moves up → late → down; call it when due.
std::vector<Transition> apply_beat(Watch& watch, const Beat& beat, const WatchDefaults& defaults, Now now);
std::vector<Transition> time_passed(Watch& watch, Now now);
// The configuration's word: the interval and grace of the watch from now on. One that never beat is due an interval
// from now.
void configure(Watch& watch, std::int64_t interval_us, std::int64_t grace_us, Now now);
Result<void> pause(Watch& watch);
Result<void> resume(Watch& watch, Now now);
// Its source ends in order: paused until it beats again. Nothing changes for one that is paused.
void rest(Watch& watch);
// After the daemon was away: no deadline falls before a full interval and grace from now.
void hold_after_restart(Watch& watch, Now now);
// Boot time at which time_passed() must be called next; nullopt when nothing is due.
std::optional<std::int64_t> next_due_boot_us(const Watch& watch);

// source, scid, state, last, deadline, interval_s, grace_s, misses, status, run
void describe(const Watch& watch, const FieldSink& sink);

} // namespace tocsin
