// SPDX-License-Identifier: Apache-2.0
// A watch over one (source, scid): pure state machine. What comes in is a beat, an act or the passing of time; what
// comes out is the new watch and the transitions that become events. No clock: instants are arguments, wall and boot
// time both. A watch waits for its next beat by an interval, counted on the boot clock, or by a schedule, read on the
// wall clock ("did not start"), and for the end of each run that has a limit ("did not finish").
#pragma once

#include "core/boxed.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/scalar.hpp"
#include "core/schedule.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class WatchState : std::uint8_t { fresh, up, late, down, started, paused }; // "new" is fresh here
std::string_view to_string(WatchState state);
std::optional<WatchState> watch_state_from(std::string_view text);

// note: a text alone, no sign of life; stop: the source ends in order. Faces that read a kind from its name do not know
// these.
enum class BeatKind : std::uint8_t { ok, start, finish, fail, alive, note, stop };
std::optional<BeatKind> beat_kind_from(std::string_view text);

struct WatchKey {
    std::string source;
    std::int64_t scid = 0;
    friend auto operator<=>(const WatchKey&, const WatchKey&) = default;
};

struct Now {
    std::int64_t wall_us = 0;
    std::int64_t boot_us = 0;
};

// A run that was started and has not ended.
struct Run {
    std::string id{};               // empty: a start that named none
    std::int64_t since_us = 0;      // wall time of its start, or of the last alive
    std::int64_t since_boot_us = 0; // the same on the boot clock; not stored
    bool told = false;              // its overrun is an event already
    friend bool operator==(const Run&, const Run&) = default;
};

struct Runs {
    std::string last{};           // the newest id that was named, also when it is over
    std::vector<Run> under_way{}; // oldest first, at most limits::runs_max
    friend bool operator==(const Runs&, const Runs&) = default;
};

// What a watch waits for beyond an interval.
struct WatchPlan {
    std::shared_ptr<const Schedule> schedule{}; // shared by all watches that say the same
    std::int64_t early_us = 0;                  // a beat so much before a slot counts for it
    std::int64_t run_limit_us = 0;              // 0: none
    Boxed<Runs> runs{};
    friend bool operator==(const WatchPlan&, const WatchPlan&) = default;
};

// The gaps between the beats of a source that nobody watches; the last few, so that its pace can be proposed.
struct Rhythm {
    static constexpr std::size_t gaps_max = 8;
    std::array<std::uint32_t, gaps_max> gaps_ms{}; // a ring
    std::uint32_t waited_ms = 0;                   // since the last beat that counts
    std::uint8_t count = 0;                        // of gaps, at most gaps_max
    std::uint8_t at = 0;                           // where the next gap goes
    bool starts = false;                           // its runs are counted by their starts
    friend bool operator==(const Rhythm&, const Rhythm&) = default;
};

// Ordered for size: a hundred thousand of them are kept. What few have is boxed.
struct Watch {
    static constexpr std::uint32_t nobody = UINT32_MAX; // the configuration, or not known
    WatchKey key{};
    std::int64_t last_us = 0;     // wall time of the newest beat; 0: none yet
    std::int64_t deadline_us = 0; // wall time, grace excluded; 0: none
    std::int64_t interval_us = 0; // 0: none
    std::int64_t grace_us = 0;
    std::int64_t due_boot_us = 0; // boot time at which deadline + grace passes; not stored; see show_at()
    Boxed<std::string> status{};
    Boxed<WatchPlan> plan{};
    Boxed<Rhythm> rhythm{};         // while it is `new`
    std::uint32_t made_by = nobody; // the uid whose beat made it
    std::uint16_t misses = 0;       // when it went down; see misses_of()
    WatchState state = WatchState::fresh;
    bool configured : 1 = false; // set by the configuration, not by a beat
    bool resting : 1 = false;    // paused by its own source: its next beat resumes it
    bool held : 1 = false;       // its deadline was put off by a restart since the last beat
    bool shown : 1 = false;      // a copy for a reader

    const std::string& run() const { return plan->runs->last; }
    const Schedule* schedule() const { return plan->schedule.get(); }
    bool watched() const { return interval_us > 0 || schedule() != nullptr; }
    // Makes it a copy for a reader, as of this wall time. Such a copy is never due: the time takes that place.
    void show_at(std::int64_t wall_us) { shown = true, due_boot_us = wall_us; }
    std::int64_t shown_us() const { return shown ? due_boot_us : 0; } // 0: not a copy
    friend bool operator==(const Watch&, const Watch&) = default;
};

struct Beat {
    WatchKey key{};
    BeatKind kind = BeatKind::ok;
    std::optional<std::int64_t> interval_us{};
    std::optional<std::int64_t> grace_us{};
    std::string schedule{}; // as it was said; `calendar` is what it means
    std::string zone{};
    std::shared_ptr<const Schedule> calendar{};
    std::string status{};
    std::string run{};
    std::int64_t time_us = 0; // wall time; never moves a watch backwards
    // Who sent it, as the kernel or the bus says.
    std::optional<std::uint32_t> uid{};
    std::string unit{};
};

// Reads a beat from options (scid, interval_usec, grace_usec, schedule, zone, state, run, status; HTTP's interval and
// grace as durations). Wrong and contradictory ones are invalid_argument naming the option. What a schedule means is
// found by who keeps the watches.
class BeatBuilder {
public:
    explicit BeatBuilder(std::string_view source);
    void set(std::string_view key, const Scalar& value);
    void from(const Origin& origin);
    Result<Beat> finish(std::int64_t now_us);

private:
    Beat beat_{};
    std::optional<Error> error_{};
};

// Which option a schedule was refused for: "schedule" or "zone".
std::string_view schedule_option(const Error& refused);

// An event named "heartbeat" (any case) is a beat only.
bool is_beat(const Event& event);
Beat beat_of(const Event& event);

enum class Transition : std::uint8_t { missed, recovered, failed, overrun };
std::string_view event_name(Transition transition); // "heartbeat.missed"

struct Happened {
    Transition transition{};
    std::string run{};      // of an overrun
    std::int64_t at_us = 0; // wall time at which an overrun happened
    friend bool operator==(const Happened& one, Transition transition) { return one.transition == transition; }
};

struct WatchDefaults {
    std::int64_t interval_us = 60'000'000;
    std::int64_t grace_us = 30'000'000;
    bool auto_register = false; // an unknown source that beats is watched with the defaults
    bool learn = false;         // one that has beaten often enough is watched at its own pace
};

// What the configuration says about a watch.
struct WatchSetting {
    std::int64_t interval_us = 0; // 0 where there is a schedule
    std::int64_t grace_us = 0;
    std::shared_ptr<const Schedule> schedule{};
    std::int64_t early_us = 0;
    std::int64_t run_limit_us = 0;
};

// Each changes the watch and says what happened. time_passed() moves up → late → down and tells overruns; call it when
// due.
std::vector<Happened> apply_beat(Watch& watch, const Beat& beat, const WatchDefaults& defaults, Now now);
std::vector<Happened> time_passed(Watch& watch, Now now);
// The configuration's word, from now on. One that never beat is due an interval from now, or at its next slot.
void configure(Watch& watch, const WatchSetting& setting, Now now);
Result<void> pause(Watch& watch);
Result<void> resume(Watch& watch, Now now);
// Its source ends in order: paused until it beats again. Nothing changes for one that is paused.
void rest(Watch& watch);
// Boot time at which time_passed() must be called next; nullopt when nothing is due.
std::optional<std::int64_t> next_due_boot_us(const Watch& watch);

// ---- what is shown; both look at shown_us() ----

// Deadlines missed since the last beat. A watch that is down is not woken for each: they are counted when looked at.
std::uint64_t misses_of(const Watch& watch);
// source, scid, state, last, deadline, interval_s, grace_s, schedule, zone, next, misses, status, run; for a `new` one
// with a visible rhythm suggested_interval_s.
void describe(const Watch& watch, const FieldSink& sink);
// What interval_s says: for a schedule the time between its next two slots.
std::int64_t interval_shown_us(const Watch& watch);

} // namespace tocsin
