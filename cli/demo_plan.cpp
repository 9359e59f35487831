// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_plan.hpp"

#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tocsin::cli {
namespace {

constexpr double ms_per_s = 1'000.0;
constexpr double rate_least = 0.01;
constexpr double rate_most = 1'000.0;

constexpr std::array<std::int64_t, 3> scids{11, 23, 74};
constexpr std::array<std::int64_t, 7> beat_offsets_ms{0, 2'000, 4'000, 9'000, 11'000, 13'000, 15'000};
constexpr std::size_t last_before_silence = 2;
constexpr std::size_t first_after_silence = 3;

struct Condition {
    std::string_view name;
    std::string_view rule;
    std::int64_t rule_id;
    std::string_view severity;
    std::string_view measure; // what the payload tells
    double limit;
};
constexpr std::array<Condition, 5> conditions{{
    {"PARS_Divergence", "abs(residual_deg) > 0.30", 101, "warning", "residual_deg", 0.30},
    {"Node_Stall", "stalled_s > 10", 102, "error", "stalled_s", 10},
    {"Carrier_Lock_Lost", "snr_db < 3", 103, "critical", "snr_db", 3},
    {"Pass_Begin", "elevation_deg > 5", 104, "info", "elevation_deg", 5},
    {"Pass_End", "elevation_deg < 5", 105, "info", "elevation_deg", 5},
}};
constexpr std::size_t stall = 1;

constexpr std::array<std::string_view, 5> users{"root", "admin", "oracle", "git", "test"};
constexpr std::array<std::string_view, 3> people{"ada", "grace", "margaret"};

// Addresses that are set aside for documentation (RFC 5737).
std::string address(std::uint64_t number) {
    constexpr std::array<std::string_view, 3> nets{"192.0.2", "198.51.100", "203.0.113"};
    return fmt::format("{}.{}", nets.at(number % nets.size()), 1 + number / nets.size() % 254);
}

struct Draft {
    std::string_view name;
    std::string_view source;
    std::string_view severity;
    std::int64_t scid = 0;
    std::string payload{};
    std::string summary{};
    std::string_view rule{};
    std::int64_t rule_id = 0;
    std::string_view script{};
};

std::string event_json(const Draft& draft) {
    std::string body;
    json::ObjectWriter writer(body);
    writer.add("event_name", draft.name);
    writer.add("event_src", draft.source);
    writer.add("severity", draft.severity);
    writer.add("scid", Scalar(draft.scid));
    if (!draft.rule.empty()) {
        writer.add("event_rule", draft.rule);
        writer.add("event_rule_id", Scalar(draft.rule_id));
    }
    if (!draft.script.empty()) {
        writer.add("spark_script", draft.script);
    }
    writer.add("summary", std::string_view(draft.summary));
    writer.add("payload", RawJson{draft.payload});
    writer.close();
    return body;
}

} // namespace

DemoPlan::DemoPlan(std::uint64_t seed, double events_per_s)
    : state_(seed), gap_ms_(ms_per_s / std::clamp(events_per_s, rate_least, rate_most)), event_at_ms_(gap_ms_ / 2) {}

// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same numbers from the same seed everywhere.
std::uint64_t DemoPlan::random(std::uint64_t below) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return (mixed ^ (mixed >> 31U)) % below;
}

double DemoPlan::random_real() {
    constexpr std::uint64_t steps = 1ULL << 53U;
    return static_cast<double>(random(steps)) / static_cast<double>(steps);
}

DemoAct DemoPlan::next() {
    const auto cycle = static_cast<std::int64_t>(beats_ / beat_offsets_ms.size());
    const std::int64_t beat_at = cycle * beat_cycle_ms + beat_offsets_ms.at(beats_ % beat_offsets_ms.size());
    const auto event_at = static_cast<std::int64_t>(event_at_ms_);
    const std::int64_t first = std::min({beat_at, event_at, report_at_ms_, look_at_ms_});
    DemoAct act;
    if (first == beat_at) {
        act = beat();
    } else if (first == look_at_ms_) {
        act.kind = DemoAct::Kind::look;
        look_at_ms_ += report_every_ms;
    } else if (first == report_at_ms_) {
        act = antenna(true);
        report_at_ms_ += report_every_ms;
    } else {
        act = random(2) == 0 ? antenna(false) : sshd();
        event_at_ms_ += -std::log(1.0 - random_real()) * gap_ms_; // as independent things happen
    }
    act.at_ms = first;
    return act;
}

DemoAct DemoPlan::beat() {
    DemoAct act{.kind = DemoAct::Kind::beat};
    const std::size_t step = beats_++ % beat_offsets_ms.size();
    if (step == last_before_silence) {
        act.text = "beats for the last time: it falls silent and will be missed in 3 s";
    } else if (step == first_after_silence) {
        act.text = "beats again: it has recovered";
    } else {
        act.text = "beats";
    }
    return act;
}

DemoAct DemoPlan::antenna(bool with_script) {
    const Condition& condition = with_script ? conditions.at(stall) : conditions.at(random(conditions.size()));
    const std::int64_t scid = scids.at(random(scids.size()));
    const bool below = condition.rule.find('<') != std::string_view::npos;
    const double value = condition.limit * (below ? random_real() : 1.0 + random_real());
    Draft draft{.name = condition.name, .source = "antenna", .severity = condition.severity, .scid = scid};
    const std::uint64_t dish = 1 + random(4);
    draft.payload = fmt::format(R"({{"antenna":"dish-{}","{}":{:.2f},"limit":{:.2f}}})", dish, condition.measure, value,
                                condition.limit);
    draft.summary = fmt::format("{} on dish-{}: {} is {:.2f}", condition.name, dish, condition.measure, value);
    draft.rule = condition.rule;
    draft.rule_id = condition.rule_id;
    draft.script = with_script ? script : std::string_view{};
    DemoAct act{.kind = with_script ? DemoAct::Kind::report : DemoAct::Kind::event, .body = event_json(draft)};
    act.text = fmt::format("antenna  {} of scid {} ({})", condition.name, scid, condition.severity);
    return act;
}

DemoAct DemoPlan::sshd() {
    const bool attacked = attempts_left_ > 0;
    if (attacked) {
        --attempts_left_;
    } else if (random(5) == 0) { // a new attack begins with the next event of this detector
        attacker_ = random(600);
        attempts_left_ = 5 + random(8);
    }
    const bool failed = attacked || random(4) == 0;
    const std::string_view user = failed ? users.at(random(users.size())) : people.at(random(people.size()));
    const std::string host = address(attacked ? attacker_ : random(600));
    Draft draft{.name = failed ? "sshd.login_failed" : "sshd.login_succeeded",
                .source = "sshd",
                .severity = failed ? "warning" : "info"};
    draft.payload = fmt::format(R"({{"user":"{}","rhost":"{}","port":{}}})", user, host, 1'024 + random(60'000));
    draft.summary = fmt::format("{} for {} from {}", failed ? "Failed password" : "Accepted publickey", user, host);
    DemoAct act{.kind = DemoAct::Kind::event, .body = event_json(draft)};
    act.text = fmt::format("sshd     {} for {} from {}", failed ? "login failed" : "login", user, host);
    return act;
}

} // namespace tocsin::cli
