// SPDX-License-Identifier: Apache-2.0
// demo: simulated detectors for a running daemon, so that there is something to look at.
#include "cli/demo_plan.hpp"
#include "cli/interrupts.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

namespace tocsin::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr double rate_default = 2;
constexpr double rate_least = 0.01;
constexpr double rate_most = 1'000;
constexpr std::int64_t seconds_most = 366LL * 86'400;
constexpr std::int64_t ms_per_s = 1'000;
constexpr std::int64_t us_per_ms = 1'000;
constexpr unsigned failures_most = 30; // in a row
constexpr milliseconds away_wait{1'000};

std::string counted(std::uint64_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

struct DemoRequest {
    std::optional<std::int64_t> seconds{};
    double rate = rate_default;
    std::uint64_t seed = 1;
};

class Demo {
public:
    Demo(Session& session, const DemoRequest& request)
        : session_(session), request_(request), plan_(request.seed, request.rate) {}

    Result<int> run() {
        if (const auto status = value_of(get(session_, "/v1/status")); !status) {
            return std::unexpected(status.error()); // nothing to demonstrate with
        }
        introduce();
        const auto began = steady_clock::now();
        const std::int64_t end_ms = request_.seconds ? *request_.seconds * ms_per_s : INT64_MAX;
        Result<void> done;
        while (done && !session_.out.gone()) {
            const DemoAct act = plan_.next();
            const auto at = began + milliseconds(std::min(act.at_ms, end_ms));
            const auto left = std::chrono::ceil<milliseconds>(at - steady_clock::now());
            const auto woken = interrupts_.wait(-1, std::max(left, milliseconds(0)));
            if (woken == Interrupts::Woken::stop || act.at_ms >= end_ms) {
                break;
            }
            done = perform(act);
        }
        finish();
        return done ? Result<int>(0) : std::unexpected(std::move(done.error()));
    }

private:
    void introduce() {
        const std::string& ctl = session_.command;
        session_.out.line(
            fmt::format("Feeding the daemon at {} with two detectors (antenna, sshd), the heartbeat {} that stops and\n"
                        "returns, and the script {}. {}\n"
                        "Look from another terminal:\n"
                        "  {} follow                             everything as it comes\n"
                        "  {} query --src sshd -n 20             what one detector saw\n"
                        "  {} heartbeats                         who is up, who is missed\n"
                        "  {} jobs                               what the script did\n",
                        session_.socket, DemoPlan::source, DemoPlan::script,
                        request_.seconds ? fmt::format("It ends after {} s.", *request_.seconds) : "Ctrl-C ends it.",
                        ctl, ctl, ctl, ctl));
        session_.out.flush();
    }

    void say(std::string_view text) {
        struct timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        const std::int64_t us = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
        constexpr std::size_t clock_at = 11; // behind the date
        constexpr std::size_t clock_bytes = 12;
        session_.out.line(fmt::format("{}  {}", show_time_us(us, session_.utc).substr(clock_at, clock_bytes), text));
        session_.out.flush();
    }

    Result<void> perform(const DemoAct& act) {
        switch (act.kind) {
        case DemoAct::Kind::event:
        case DemoAct::Kind::report:
            return submit(act);
        case DemoAct::Kind::beat:
            return beat(act);
        case DemoAct::Kind::look:
            return look();
        }
        return {};
    }

    // A failure that may pass is told and lived with; another ends the demonstration.
    Result<void> judge(const Error& error) {
        if (error.code == Code::not_authorized || ++failures_ >= failures_most) {
            return std::unexpected(error);
        }
        say(printable(fmt::format("refused: {}", error.detail())));
        if (error.context == context_connect) {
            static_cast<void>(interrupts_.wait(-1, away_wait)); // a stop is seen by the next wait
        }
        return {};
    }

    Result<void> submit(const DemoAct& act) {
        const auto receipt = value_of(post(session_, "/v1/events", act.body));
        if (!receipt) {
            return judge(receipt.error());
        }
        failures_ = 0;
        ++events_;
        const std::string index = (*receipt)["unique_index"].text();
        if (act.kind == DemoAct::Kind::report) {
            ++reports_;
            report_event_ = index;
            say(fmt::format("{} → event {}, asks for {}", act.text, index, DemoPlan::script));
        } else {
            say(fmt::format("{} → event {}", act.text, index));
        }
        return {};
    }

    Result<void> beat(const DemoAct& act) {
        const std::string address = target(fmt::format("/v1/heartbeats/{}", DemoPlan::source),
                                           {{"interval", fmt::format("{}ms", DemoPlan::beat_interval_ms)},
                                            {"grace", fmt::format("{}ms", DemoPlan::beat_grace_ms)},
                                            {"status", "made by tocsinctl demo"}});
        if (const auto watch = value_of(post(session_, address)); !watch) {
            return judge(watch.error());
        }
        failures_ = 0;
        ++beats_;
        say(fmt::format("{} {}", DemoPlan::source, act.text));
        return {};
    }

    Result<void> look() {
        if (report_event_.empty()) {
            return {};
        }
        const auto event = value_of(get(session_, "/v1/events/" + report_event_));
        if (!event) {
            return judge(event.error());
        }
        if ((*event)["spark_report_id"].number() > 0) {
            say(printable(fmt::format("event {} has report {}, whose files are in products of the state directory",
                                      report_event_, (*event)["spark_report_id"].text())));
            return {};
        }
        const auto jobs = value_of(get(session_, "/v1/jobs?unique_index=" + report_event_));
        const Value::Array& items = jobs ? (*jobs)["items"].items() : Value().items();
        const std::string reason = items.empty() ? "no job yet" : items.front()["reason"].text();
        say(printable(
            fmt::format("event {} has no report: {}", report_event_, reason.empty() ? "not done yet" : reason)));
        return {};
    }

    // The heartbeat ends with its source; who may not do that is told how.
    void finish() {
        const auto forgotten = post(session_, fmt::format("/v1/heartbeats/{}/forget", DemoPlan::source));
        session_.out.line(fmt::format("\nDone: {}, {}, {} asked for. \"{} query\" shows what came of them.",
                                      counted(events_, "event"), counted(beats_, "beat"), counted(reports_, "report"),
                                      session_.command));
        if (beats_ > 0 && (!forgotten || !forgotten->ok())) {
            session_.out.line(
                fmt::format("{} is still watched and will be missed; \"{} heartbeats forget {}\" ends that.",
                            DemoPlan::source, session_.command, DemoPlan::source));
        }
    }

    Session& session_;
    DemoRequest request_;
    DemoPlan plan_;
    Interrupts interrupts_{};
    std::string report_event_{};
    std::uint64_t events_ = 0;
    std::uint64_t beats_ = 0;
    std::uint64_t reports_ = 0;
    unsigned failures_ = 0;
};

Result<double> read_rate(const Arguments& arguments) {
    const auto text = arguments.value("rate");
    if (!text) {
        return rate_default;
    }
    double rate = 0;
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), rate);
    if (problem != std::errc{} || end != text->data() + text->size() || std::isnan(rate) || rate < rate_least ||
        rate > rate_most) {
        return usage("--rate", fmt::format("\"{}\" is not a number between {} and {}", text->substr(0, 64), rate_least,
                                           rate_most));
    }
    return rate;
}

Result<int> run_demo(Session& session, const Arguments& arguments) {
    const auto seconds = arguments.integer("seconds", 1, seconds_most);
    const auto seed = arguments.integer("seed", 0, INT64_MAX);
    const auto rate = read_rate(arguments);
    if (!seconds || !seed || !rate) {
        return std::unexpected(!seconds ? seconds.error() : !seed ? seed.error() : rate.error());
    }
    DemoRequest request{.seconds = *seconds, .rate = *rate};
    request.seed = static_cast<std::uint64_t>(seed->value_or(session.now_us / us_per_ms));
    return Demo(session, request).run();
}

constexpr std::array options = std::to_array<Option>({
    {.name = "seconds", .value = "N", .help = "end after so many seconds (never)"},
    {.name = "rate", .value = "R", .help = "events a second, of both detectors together (2)"},
    {.name = "seed", .value = "N", .help = "the same acts again"},
});

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "demo",
     .summary = "feed the daemon with simulated detectors",
     .text = "An antenna and an sshd detector send events, the heartbeat demo-telemetry stops now and then and "
             "returns, and some\n"
             "events ask for the script demo-report. Each act is a line. Ends with Ctrl-C or after --seconds.",
     .options = {options},
     .run = run_demo},
});

} // namespace

std::span<const Verb> demo_verbs() {
    return verbs;
}

} // namespace tocsin::cli
