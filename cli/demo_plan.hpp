// SPDX-License-Identifier: Apache-2.0
// What the demonstration does, and when: an endless list of acts in order of time, made from a seed alone. Two
// detectors, one heartbeat that stops and returns, and now and then an event that names a script. Times are ms since
// the start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::cli {

struct DemoAct {
    enum class Kind : std::uint8_t {
        event,  // submit `body`
        report, // the same, and it names a script
        look,   // see what became of the last report
        beat,   // a beat of the heartbeat source
    };
    std::int64_t at_ms = 0;
    Kind kind = Kind::event;
    std::string body{}; // JSON of the event
    std::string text{}; // what a person is told
};

class DemoPlan {
public:
    static constexpr std::string_view source = "demo-telemetry";
    static constexpr std::string_view script = "demo-report";
    static constexpr std::int64_t beat_interval_ms = 2'000;
    static constexpr std::int64_t beat_grace_ms = 1'000;
    // A cycle of beats: three, then none until one was missed for a while, then four.
    static constexpr std::int64_t beat_cycle_ms = 17'000;
    static constexpr std::int64_t first_report_ms = 3'000;
    static constexpr std::int64_t report_every_ms = 20'000;
    static constexpr std::int64_t look_after_ms = 4'000;

    // `events_per_s` of both detectors together, 0.01 to 1000.
    DemoPlan(std::uint64_t seed, double events_per_s);
    DemoAct next();

private:
    DemoAct antenna(bool with_script);
    DemoAct sshd();
    DemoAct beat();
    std::uint64_t random(std::uint64_t below);
    double random_real(); // 0 to 1, 1 excluded

    std::uint64_t state_;
    double gap_ms_;
    double event_at_ms_;
    std::int64_t report_at_ms_ = first_report_ms;
    std::int64_t look_at_ms_ = first_report_ms + look_after_ms;
    std::uint64_t beats_ = 0;
    std::uint64_t attempts_left_ = 0; // of the attack that is going on
    std::uint64_t attacker_ = 0;
};

} // namespace tocsin::cli
